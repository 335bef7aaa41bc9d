<?php

// A copy of extensions/shared/ErrorText.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\ProxmoxWP\Api;

/**
 * One plain sentence out of whatever a server says when something fails: an answer's body, or an exception's
 * message.
 */
final class ErrorText
{
    /** The longest text that fits into a toast. */
    private const LONGEST = 300;

    /** What older API clients put before a body. */
    private const PREFIX = '~^\s*API\s+[A-Z]+\s+\S+\s+failed\b[:\s]*(HTTP\s+\d+\b[:\s-]*)?~i';

    /**
     * The JSON `error` if there is one, else the text of the first `<p>`, else the text without its tags, in
     * each case without the prefix of older clients, white space collapsed, and at most 300 characters long;
     * never empty.
     *
     * The result is plain text, not HTML: views have to escape it.
     *
     * @param  string  $otherwise  the sentence for a text that says nothing
     */
    public static function clean(string $text, string $otherwise = 'The backend gave no reason.'): string
    {
        $text = (string) preg_replace(self::PREFIX, '', mb_scrub(substr($text, 0, 65536), 'UTF-8'), 1);
        $data = json_decode($text, true, 64);
        if (is_array($data)) {
            $text = self::oneLine(is_string($data['error'] ?? null) ? $data['error'] : '');
        } else {
            $text = self::firstParagraph($text) ?: self::withoutTags($text);
        }

        return match (true) {
            $text === '' => $otherwise,
            mb_strlen($text, 'UTF-8') > self::LONGEST => rtrim(mb_substr($text, 0, self::LONGEST - 1, 'UTF-8')).'…',
            default => $text,
        };
    }

    private static function firstParagraph(string $html): string
    {
        return preg_match('~<p\b[^>]*>(.*?)</p\s*>~isu', $html, $found) ? self::withoutTags($found[1]) : '';
    }

    /** Without tags and what is not part of a page's text; entities become characters. */
    private static function withoutTags(string $html): string
    {
        $text = (string) preg_replace('~<(script|style|title|head)\b[^>]*>.*?</\1\s*>|<!--.*?-->~isu', ' ', $html);
        $text = (string) preg_replace('~</?[a-z!][^>]*>?~iu', ' ', $text);

        return self::oneLine(html_entity_decode($text, ENT_QUOTES | ENT_HTML5, 'UTF-8'));
    }

    /** White space and control characters become single spaces. */
    private static function oneLine(string $text): string
    {
        return trim((string) preg_replace('/[\p{Z}\p{Cc}]+/u', ' ', $text));
    }
}
