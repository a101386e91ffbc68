import com.datatheorem.android.trustkit.config.DomainPinningPolicy;
import com.datatheorem.android.trustkit.config.PublicKeyPin;
import com.datatheorem.android.trustkit.config.TrustKitConfiguration;
import java.io.FileInputStream;
import java.util.TreeSet;
import org.xmlpull.v1.XmlPullParser;

/** What TrustKit for Android makes of its configuration: the policy that it has for each host. */
public final class TrustKitConfig {
    public static void main(String[] arguments) throws Exception {
        TrustKitConfiguration config;
        try (FileInputStream in = new FileInputStream(arguments[0])) {
            XmlPullParser parser = new com.android.org.kxml2.io.KXmlParser();
            parser.setFeature(XmlPullParser.FEATURE_PROCESS_NAMESPACES, true);
            parser.setInput(in, "UTF-8");
            config = TrustKitConfiguration.fromXmlPolicy(null, parser);
        }
        for (int each = 1; each < arguments.length; each++) {
            DomainPinningPolicy policy = config.getPolicyForHostname(arguments[each]);
            if (policy == null) {
                System.out.println(arguments[each] + " none");
                continue;
            }
            TreeSet<String> pins = new TreeSet<>();
            for (PublicKeyPin pin : policy.getPublicKeyPins()) {
                pins.add(pin.toString().trim());
            }
            System.out.println(arguments[each] + " " + policy.shouldEnforcePinning() + " "
                + (policy.getExpirationDate() == null ? "never" : policy.getExpirationDate().getTime() / 1000)
                + " " + policy.getReportUris() + " " + String.join(",", pins));
        }
    }
}
