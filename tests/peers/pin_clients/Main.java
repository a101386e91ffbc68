import java.net.InetAddress;
import java.util.List;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import pins.Pins;

public final class Main {
    public static void main(String[] targets) throws Exception {
        InetAddress here = InetAddress.getByName("127.0.0.1");
        for (String target : targets) {
            OkHttpClient client =
                Pins.pin(new OkHttpClient.Builder().dns(name -> List.of(here))).build();
            Request request = new Request.Builder().url("https://" + target + "/").build();
            try (Response answer = client.newCall(request).execute()) {
                System.out.println(target + " ok");
            } catch (java.io.IOException error) {
                System.out.println(target + " refused " + String.valueOf(error.getMessage()).split("\n")[0]);
            }
        }
        System.exit(0);
    }
}
