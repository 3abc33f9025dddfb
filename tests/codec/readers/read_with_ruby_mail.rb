# Reads the messages of a folder with ruby-mail; one JSON line each (their form: reading.py).
require 'digest'
require 'json'
require 'mail'

def pairs(message, name)
  field = message[name] or return []
  return [] unless field.respond_to?(:addrs)
  field.addrs.map { |one| [one.display_name || '', one.address] }
end

def structure(part)
  return part.mime_type unless part.multipart?
  "#{part.mime_type}(#{part.parts.map { |one| structure(one) }.join(',')})"
end

def leaves(part)
  part.multipart? ? part.parts.flat_map { |one| leaves(one) } : [part]
end

def value(message, name)
  message[name]&.unparsed_value&.to_s&.gsub(/\r?\n/, '')&.strip
end

def reading(content)
  message = Mail.new(content)
  texts = {}
  attachments = []
  leaves(message).each do |part|
    if part.content_disposition.nil?
      texts[part.mime_type] = part.decoded
      next
    end
    inner = nil
    if part.mime_type == 'message/rfc822'
      within = Mail.new(part.body.raw_source)
      inner = [within.subject, within.decoded]
    end
    attachments << { name: part.filename, type: part.mime_type, inner: inner,
                     sha256: Digest::SHA256.hexdigest(inner ? '' : part.body.decoded),
                     cid: part.content_id&.gsub(/^<|>$/, '') }
  end
  { subject: message.subject, from: pairs(message, :from), reply_to: pairs(message, :reply_to),
    to: pairs(message, :to), cc: pairs(message, :cc), message_id: value(message, 'Message-ID'),
    references: value(message, 'References'), unsubscribe: value(message, 'List-Unsubscribe'),
    note: message['X-Note']&.decoded, structure: structure(message),
    text: texts['text/plain'], html: texts['text/html'], attachments: attachments }
end

Dir[File.join(ARGV[0], '*.eml')].sort.each do |path|
  result = begin
    reading(File.binread(path))
  rescue StandardError => e
    { error: e.full_message(highlight: false) }
  end
  puts JSON.generate({ file: File.basename(path) }.merge(result), ascii_only: true)
end
