// Reads "METHOD PATH BODY-BYTES" lines, sends them over one connection, prints "STATUS BYTES NANOSECONDS" lines.
const http = require("http");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
function ask(line) {
  const [method, path, size] = line.split(" ");
  const body = method === "POST" ? "y".repeat(Number(size)) : "";
  const began = process.hrtime.bigint();
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: process.argv[2], method, path, agent };
    if (method === "POST") options.headers = { "Content-Length": body.length };
    const request = http.request(options, (response) => {
      let bytes = 0;
      response.on("data", (piece) => (bytes += piece.length));
      response.on("end", () => {
        console.log(`${response.statusCode} ${bytes} ${process.hrtime.bigint() - began}`);
        resolve();
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
(async () => {
  for (const line of lines) await ask(line);
  agent.destroy();
})();
