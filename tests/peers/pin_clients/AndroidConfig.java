import android.content.pm.ApplicationInfo;
import android.content.res.XmlResourceParser;
import android.security.net.config.ApplicationConfig;
import android.security.net.config.ConfigSource;
import android.security.net.config.NetworkSecurityConfig;
import android.security.net.config.Pin;
import android.security.net.config.PinSet;
import android.security.net.config.XmlConfigSource;
import java.io.FileInputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Base64;
import java.util.TreeSet;
import org.xmlpull.v1.XmlPullParser;

/** What Android's own code makes of a network security configuration: its pins for each host. */
public final class AndroidConfig {
    public static void main(String[] arguments) throws Exception {
        // There is no kernel of a phone either: every question to it is answered with 0 or nothing.
        libcore.io.Libcore.os = (libcore.io.Os) Proxy.newProxyInstance(
            AndroidConfig.class.getClassLoader(),
            new Class<?>[] {libcore.io.Os.class},
            (self, method, given) -> method.getReturnType() == int.class ? 0 : null);
        ApplicationConfig config = new ApplicationConfig(source(arguments[0]));
        for (int each = 1; each < arguments.length; each++) {
            NetworkSecurityConfig found = config.getConfigForHostname(arguments[each]);
            PinSet pins = found.getPins();
            TreeSet<String> texts = new TreeSet<>();
            for (Pin pin : pins.pins) {
                texts.add(Base64.getEncoder().encodeToString(pin.digest));
            }
            long ends = pins.expirationTime;
            System.out.println(arguments[each] + " " + (ends == Long.MAX_VALUE ? "never" : ends / 1000)
                + " " + String.join(",", texts));
        }
    }

    /** A source without the phone around it: no context, no compiled resources. */
    private static ConfigSource source(String file) throws Exception {
        Field theUnsafe = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        theUnsafe.setAccessible(true);
        sun.misc.Unsafe unsafe = (sun.misc.Unsafe) theUnsafe.get(null);
        XmlConfigSource source = (XmlConfigSource) unsafe.allocateInstance(XmlConfigSource.class);
        ApplicationInfo info = (ApplicationInfo) unsafe.allocateInstance(ApplicationInfo.class);
        info.targetSdkVersion = 34;
        set(source, "mApplicationInfo", info);
        set(source, "mLock", new Object());
        Method parse = XmlConfigSource.class.getDeclaredMethod(
            "parseNetworkSecurityConfig", XmlResourceParser.class);
        parse.setAccessible(true);
        try (FileInputStream in = new FileInputStream(file)) {
            parse.invoke(source, parser(in));
        }
        set(source, "mInitialized", true);
        return source;
    }

    private static void set(Object object, String name, Object value) throws Exception {
        Field field = object.getClass().getDeclaredField(name);
        field.setAccessible(true);
        field.set(object, value);
    }

    private static XmlResourceParser parser(FileInputStream in) throws Exception {
        XmlPullParser inner = new com.android.org.kxml2.io.KXmlParser();
        inner.setFeature(XmlPullParser.FEATURE_PROCESS_NAMESPACES, true);
        inner.setInput(in, "UTF-8");
        return (XmlResourceParser) Proxy.newProxyInstance(
            AndroidConfig.class.getClassLoader(),
            new Class<?>[] {XmlResourceParser.class},
            (self, method, given) -> {
                if (method.getName().equals("getAttributeBooleanValue")) {
                    String text = inner.getAttributeValue((String) given[0], (String) given[1]);
                    return text == null ? (Boolean) given[2] : Boolean.parseBoolean(text);
                }
                return XmlPullParser.class.getMethod(method.getName(), method.getParameterTypes())
                    .invoke(inner, given);
            });
    }
}
