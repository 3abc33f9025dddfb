<?php
// PHPMailer as phpList has it: PORT COUNT KEEP_ALIVE [USER PASSWORD], with a login by STARTTLS.
// Prints how many were accepted.
[$port, $count, $keep_alive] = array_map('intval', array_slice($argv, 1, 3));
foreach (['Exception', 'SMTP', 'PHPMailer'] as $class) {
    require "/usr/share/php/libphp-phpmailer/src/$class.php";
}
$accepted = 0;
$mail = new PHPMailer\PHPMailer\PHPMailer(true);
$mail->isSMTP();
$mail->Host = '127.0.0.1';
$mail->Port = $port;
$mail->SMTPAutoTLS = false;
if (count($argv) > 4) {
    $mail->SMTPSecure = 'tls';
    $mail->SMTPAuth = true;
    [$mail->Username, $mail->Password] = array_slice($argv, 4, 2);
    $mail->SMTPOptions = ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]];
}
$mail->SMTPKeepAlive = $keep_alive === 1;
$mail->CharSet = 'UTF-8';
$mail->setFrom('news@example.com', 'News');
for ($number = 0; $number < $count; ++$number) {
    $mail->clearAddresses();
    $mail->addAddress("reader$number@example.net");
    $mail->MessageID = "<php-$keep_alive-$number@example.com>";
    $mail->Subject = 'Grüße';
    $mail->Body = "Hello\n.\nüber";
    try {
        $accepted += $mail->send() ? 1 : 0;
    } catch (Exception $error) {
        fwrite(STDERR, $error->getMessage() . "\n");
    }
}
$mail->smtpClose();
echo $accepted, "\n";
