// GET or POST /item?status=S&size=B[&chunked=1] answers status S with B bytes.
const http = require("http");
const server = http.createServer((request, response) => {
  const query = new URL(request.url, "http://x").searchParams;
  request.resume();
  request.on("end", () => {
    const body = "x".repeat(Number(query.get("size") || 0));
    const headers = { "Content-Type": "text/plain" };
    if (!query.has("chunked")) headers["Content-Length"] = body.length;
    response.writeHead(Number(query.get("status") || 200), headers);
    response.end(body);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
