// Reads "METHOD PATH BODY-BYTES" lines, sends them over one connection, prints "STATUS BYTES NANOSECONDS" lines.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Scanner;

public class Client {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        Scanner lines = new Scanner(System.in);
        while (lines.hasNextLine()) {
            String[] parts = lines.nextLine().split(" ");
            HttpRequest.BodyPublisher body = parts[0].equals("POST")
                    ? HttpRequest.BodyPublishers.ofString("y".repeat(Integer.parseInt(parts[2])))
                    : HttpRequest.BodyPublishers.noBody();
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + arguments[0] + parts[1]))
                    .method(parts[0], body).build();
            long began = System.nanoTime();
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            System.out.println(response.statusCode() + " " + response.body().length + " " + (System.nanoTime() - began));
        }
    }
}
