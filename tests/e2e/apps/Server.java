// GET or POST /item?status=S&size=B[&chunked=1] answers status S with B bytes.
import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

public class Server {
    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 64);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            Map<String, String> query = new HashMap<>();
            String text = exchange.getRequestURI().getQuery();
            for (String pair : text == null ? new String[0] : text.split("&")) {
                String[] parts = pair.split("=", 2);
                query.put(parts[0], parts[1]);
            }
            byte[] body = new byte[Integer.parseInt(query.getOrDefault("size", "0"))];
            Arrays.fill(body, (byte) 'x');
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            int status = Integer.parseInt(query.getOrDefault("status", "200"));
            exchange.sendResponseHeaders(status, query.containsKey("chunked") ? 0 : body.length == 0 ? -1 : body.length);
            if (body.length > 0) {
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        server.start();
        System.out.println(server.getAddress().getPort());
    }
}
