import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Asks an API with java.net.http: JavaNetHttp.java h2|http/1.1 URL CA-FILE GET-PATH POST-PATH RATE, until standard input ends.
 * It prints "answered" once it has an answer, and one line of JSON at the end with what became of its requests. It repeats nothing of
 * its own. Without arguments it prints its version.
 */
public class JavaNetHttp {
  private static final int AT_ONCE = 20;
  private static final CountDownLatch stop = new CountDownLatch(1);
  private static final Map<String, Integer> errors = new TreeMap<>();
  private static int sent = 0;
  private static int ok = 0;

  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.out.println("JDK " + Runtime.version());
      return;
    }
    var version = args[0].equals("h2") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1;
    var client = HttpClient.newBuilder().version(version).sslContext(trusting(args[2])).build();
    var get = HttpRequest.newBuilder(URI.create(args[1] + args[3])).timeout(Duration.ofSeconds(30)).build();
    var post = HttpRequest.newBuilder(URI.create(args[1] + args[4])).timeout(Duration.ofSeconds(30))
      .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString("{\"id\":\"java\"}")).build();
    var rate = Double.parseDouble(args[5]);

    var threads = new Thread[AT_ONCE];
    for (var index = 0; index < AT_ONCE; index++) {
      var first = index;
      threads[index] = new Thread(() -> askUntilStopped(client, version, get, post, rate, first));
      threads[index].start();
    }
    while (System.in.read() != -1) {}
    stop.countDown();
    for (var thread : threads) thread.join();
    var listed = errors.entrySet().stream().map(error -> quoted(error.getKey()) + ":" + error.getValue());
    System.out.printf("{\"sent\":%d,\"ok\":%d,\"errors\":{%s}}%n", sent, ok, listed.collect(Collectors.joining(",")));
    System.exit(0);
  }

  private static void askUntilStopped(
    HttpClient client, HttpClient.Version version, HttpRequest get, HttpRequest post, double rate, int first
  ) {
    var due = System.nanoTime();
    try {
      for (var count = first; ; count++) {
        due += (long) (ThreadLocalRandom.current().nextDouble() * 2 * AT_ONCE / rate * 1e9);
        if (stop.await(due - System.nanoTime(), TimeUnit.NANOSECONDS)) return;
        count(ask(client, version, count % 2 == 0 ? get : post));
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static String ask(HttpClient client, HttpClient.Version version, HttpRequest request) throws InterruptedException {
    try {
      var response = client.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() != 200) return "status " + response.statusCode();
      return response.version() == version ? null : "answered by " + response.version();
    } catch (java.io.IOException error) {
      return error.toString();
    }
  }

  private static synchronized void count(String error) {
    sent++;
    if (error == null) {
      if (ok == 0) System.out.println("answered");
      ok++;
    } else errors.merge(error, 1, Integer::sum);
  }

  private static SSLContext trusting(String file) throws Exception {
    var store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (var input = new FileInputStream(file)) {
      for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(input)) {
        store.setCertificateEntry(String.valueOf(store.size()), certificate);
      }
    }
    var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private static String quoted(String text) {
    return "\"" + text.replaceAll("[\\\\\"\\p{Cntrl}]", " ") + "\"";
  }
}
