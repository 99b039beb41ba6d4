import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.security.SecureRandom;
import java.util.Vector;
import org.bouncycastle.tls.BasicTlsPSKExternal;
import org.bouncycastle.tls.BasicTlsPSKIdentity;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.DefaultTlsClient;
import org.bouncycastle.tls.NameType;
import org.bouncycastle.tls.PRFAlgorithm;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.PskKeyExchangeMode;
import org.bouncycastle.tls.ServerName;
import org.bouncycastle.tls.TlsAuthentication;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsPSKIdentity;
import org.bouncycastle.tls.ServerOnlyTlsAuthentication;
import org.bouncycastle.tls.TlsServerCertificate;
import org.bouncycastle.tls.TlsUtils;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;
import org.bouncycastle.util.encoders.Hex;

/**
 * A client of Bouncy Castle, of which Debian has the library alone: sends its standard input, prints the answer.
 * Arguments: port, server name, version (1.2, 1.3), suite (128, 256), modes (psk_ke, psk_dhe_ke), identity, key
 * (64 hex; none: "").
 */
final class BouncyCastleClient extends DefaultTlsClient {
    private final String name;
    private final boolean tls12;
    private final boolean aes256;
    private final short[] modes;
    private final byte[] identity;
    private final byte[] key;

    private BouncyCastleClient(String[] args) {
        super(new BcTlsCrypto(new SecureRandom()));
        name = args[1];
        tls12 = args[2].equals("1.2");
        aes256 = args[3].equals("256");
        modes = new short[] {args[4].equals("psk_ke") ? PskKeyExchangeMode.psk_ke : PskKeyExchangeMode.psk_dhe_ke};
        identity = args[5].getBytes();
        key = Hex.decode(args[6]);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
        return (tls12 ? ProtocolVersion.TLSv12 : ProtocolVersion.TLSv13).only();
    }

    @Override
    protected int[] getSupportedCipherSuites() {
        if (tls12) return new int[] {CipherSuite.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256};
        return new int[] {aes256 ? CipherSuite.TLS_AES_256_GCM_SHA384 : CipherSuite.TLS_AES_128_GCM_SHA256};
    }

    @Override
    public short[] getPskKeyExchangeModes() {
        return modes;
    }

    @Override
    public Vector getExternalPSKs() {
        if (tls12 || key.length == 0) return null;
        int prf = aes256 ? PRFAlgorithm.tls13_hkdf_sha384 : PRFAlgorithm.tls13_hkdf_sha256;
        return TlsUtils.vectorOfOne(new BasicTlsPSKExternal(identity, getCrypto().createSecret(key), prf));
    }

    @Override
    public TlsPSKIdentity getPSKIdentity() {
        return new BasicTlsPSKIdentity(identity, key);
    }

    @Override
    protected Vector getSNIServerNames() {
        return TlsUtils.vectorOfOne(new ServerName(NameType.host_name, name.getBytes()));
    }

    @Override
    public TlsAuthentication getAuthentication() {
        return new ServerOnlyTlsAuthentication() {
            @Override
            public void notifyServerCertificate(TlsServerCertificate certificate) {}
        };
    }

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            TlsClientProtocol protocol = new TlsClientProtocol(socket.getInputStream(), socket.getOutputStream());
            protocol.connect(new BouncyCastleClient(args));
            byte[] request = new byte[4096];
            int length = System.in.read(request);
            protocol.getOutputStream().write(request, 0, length);
            protocol.getOutputStream().flush();
            InputStream answer = protocol.getInputStream();
            answer.transferTo(System.out);
        }
    }
}
