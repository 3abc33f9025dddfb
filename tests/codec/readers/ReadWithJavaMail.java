// Reads the messages of a folder with JavaMail; one JSON line each (their form: reading.py).

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.mail.Address;
import javax.mail.Message;
import javax.mail.Multipart;
import javax.mail.Part;
import javax.mail.Session;
import javax.mail.internet.ContentType;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeUtility;

public class ReadWithJavaMail {
  private static final Session session = Session.getInstance(new Properties());

  public static void main(String[] arguments) throws Exception {
    List<Path> paths;
    try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
      paths = files.filter(one -> one.toString().endsWith(".eml")).sorted()
          .collect(Collectors.toList());
    }
    StringBuilder out = new StringBuilder();
    for (Path path : paths) {
      String reading;
      try {
        reading = reading(Files.readAllBytes(path));
      } catch (Exception error) {
        reading = "\"error\":" + quoted(error.toString());
      }
      out.append("{\"file\":").append(quoted(path.getFileName().toString())).append(',')
          .append(reading).append("}\n");
    }
    System.out.print(out);
  }

  private static String reading(byte[] content) throws Exception {
    MimeMessage message = new MimeMessage(session, new ByteArrayInputStream(content));
    List<Part> leaves = new ArrayList<>();
    String structure = structure(message, leaves);
    String text = null;
    String html = null;
    StringBuilder attachments = new StringBuilder();
    for (Part part : leaves) {
      if (part.getDisposition() == null) {
        if (part.isMimeType("text/plain")) text = (String) part.getContent();
        if (part.isMimeType("text/html")) html = (String) part.getContent();
      } else {
        attachments.append(attachments.length() == 0 ? "" : ",").append(attachment(part));
      }
    }
    return "\"subject\":" + quoted(message.getSubject())
        + ",\"from\":" + pairs(message.getFrom())
        + ",\"reply_to\":" + (message.getHeader("Reply-To") == null
            ? "[]" : pairs(message.getReplyTo()))
        + ",\"to\":" + pairs(message.getRecipients(Message.RecipientType.TO))
        + ",\"cc\":" + pairs(message.getRecipients(Message.RecipientType.CC))
        + ",\"message_id\":" + quoted(message.getMessageID())
        + ",\"references\":" + header(message, "References")
        + ",\"unsubscribe\":" + header(message, "List-Unsubscribe")
        + ",\"note\":" + header(message, "X-Note")
        + ",\"structure\":" + quoted(structure) + ",\"text\":" + quoted(text)
        + ",\"html\":" + quoted(html) + ",\"attachments\":[" + attachments + "]";
  }

  private static String type(Part part) throws Exception {
    return new ContentType(part.getContentType()).getBaseType().toLowerCase();
  }

  private static String structure(Part part, List<Part> leaves) throws Exception {
    if (!part.isMimeType("multipart/*")) {
      leaves.add(part);
      return type(part);
    }
    Multipart parts = (Multipart) part.getContent();
    List<String> children = new ArrayList<>();
    for (int index = 0; index < parts.getCount(); ++index) {
      children.add(structure(parts.getBodyPart(index), leaves));
    }
    return type(part) + "(" + String.join(",", children) + ")";
  }

  private static String attachment(Part part) throws Exception {
    String inner = "null";
    byte[] octets = new byte[0];
    if (part.isMimeType("message/rfc822")) {
      MimeMessage within = (MimeMessage) part.getContent();
      inner = "[" + quoted(within.getSubject()) + "," + quoted((String) within.getContent()) + "]";
    } else {
      try (InputStream stream = part.getInputStream()) {
        octets = stream.readAllBytes();
      }
    }
    StringBuilder digest = new StringBuilder();
    for (byte octet : MessageDigest.getInstance("SHA-256").digest(octets)) {
      digest.append(String.format("%02x", octet));
    }
    String[] ids = part.getHeader("Content-ID");
    String cid = ids == null ? null : ids[0].replaceAll("^<|>$", "");
    return "{\"name\":" + quoted(part.getFileName()) + ",\"type\":" + quoted(type(part))
        + ",\"sha256\":" + quoted(digest.toString()) + ",\"cid\":" + quoted(cid)
        + ",\"inner\":" + inner + "}";
  }

  private static String pairs(Address[] addresses) {
    List<String> found = new ArrayList<>();
    for (Address one : addresses == null ? new Address[0] : addresses) {
      InternetAddress mailbox = (InternetAddress) one;
      if (mailbox.isGroup()) continue;
      String name = mailbox.getPersonal();
      found.add("[" + quoted(name == null ? "" : name) + "," + quoted(mailbox.getAddress()) + "]");
    }
    return "[" + String.join(",", found) + "]";
  }

  private static String header(MimeMessage message, String name) throws Exception {
    String value = message.getHeader(name, null);
    return quoted(value == null ? null : MimeUtility.decodeText(MimeUtility.unfold(value)).trim());
  }

  private static String quoted(String text) {
    if (text == null) return "null";
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
        out.append(c);
      } else {
        out.append(String.format("\\u%04x", (int) c));
      }
    }
    return out.append('"').toString();
  }
}
