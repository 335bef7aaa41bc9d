<?php
// The addresses in a site's texts, also in those that PHP has serialized. None of the site's code is run, and no object is made
// of what it has stored.
declare(strict_types=1);

const DEEPEST = 200; // arrays and objects in one another
const NESTED = 8;    // serialized texts in one another

final class Broken extends Exception
{
}

/** The host name in addresses: behind two slashes, however they are written, or as the whole of a value. */
final class Addresses
{
    public int $changes = 0;
    public int $left = 0;
    private string $pattern;
    /** @var list<string> as it is written in DNS, and as people read it */
    public array $names;

    public function __construct(string $from, private string $to)
    {
        $shown = function_exists('idn_to_utf8') ? (string) idn_to_utf8($from) : '';
        $this->names = array_values(array_unique(array_filter([$from, $shown])));
        $quoted = implode('|', array_map(fn($name) => preg_quote($name, '~'), $this->names));
        // Plain, escaped in JSON (once or more), as \u002f, percent-encoded (once or more), as HTML's references.
        $slashes = '(?://|(?:\\\\{1,8}/){2}|(?:\\\\{1,8}u002f){2}|(?:%(?:25)*2f){2}|(?:&\\#(?:x2f|47);){2})';
        $this->pattern = "~$slashes\\K(?:$quoted)(?![a-z0-9_-]|\\.[a-z0-9_-])|\\A(?:$quoted)\\z~i";
    }

    public function in(string $text, int $nested = 0): string
    {
        if (preg_match($this->pattern, $text) !== 1) {
            return $text;
        }
        $trimmed = trim($text);
        if (!preg_match('~\A(?:[aOC]:\d+:|[sE]:\d+:")~', $trimmed)) {
            return $this->plain($text);
        }
        [$changes, $left] = [$this->changes, $this->left];
        try {
            if ($nested === NESTED) {
                throw new Broken();
            }
            $changed = (new Serialized($trimmed, fn($inner) => $this->in($inner, $nested + 1)))->changed();
            return substr_replace($text, $changed, strpos($text, $trimmed), strlen($trimmed));
        } catch (Broken) {
            [$this->changes, $this->left] = [$changes, $left + 1];
            return $text;
        }
    }

    private function plain(string $text): string
    {
        // A serialized text inside another kind of text: its lengths would be wrong afterwards.
        if (preg_match('~\bs:\d+:\\\\*"~', $text)) {
            $this->left++;
            return $text;
        }
        $changed = preg_replace($this->pattern, $this->to, $text, -1, $count);
        if ($changed === null) { // more than PCRE can do
            $this->left++;
            return $text;
        }
        $this->changes += $count;
        return $changed;
    }
}

/** A text in PHP's own format, read without unserialize(): no class is loaded, no object made. Keys and names stay. */
final class Serialized
{
    private const SCALAR = '~\G(?:N|b:[01]|i:[+-]?\d+|d:(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:E[+-]?\d+)?|-?INF|NAN)|[rR]:\d+);~i';
    private int $at = 0;
    private int $copied = 0;
    private string $made = '';

    /** @param Closure(string): string $change what becomes of each string */
    public function __construct(private string $text, private Closure $change)
    {
    }

    public function changed(): string
    {
        $this->value(0);
        if ($this->at !== strlen($this->text)) {
            throw new Broken();
        }
        return $this->made . substr($this->text, $this->copied);
    }

    private function value(int $depth): void
    {
        if ($depth > DEEPEST) {
            throw new Broken();
        }
        switch ($this->text[$this->at] ?? '') {
            case 's':
                $this->string();
                break;
            case 'a':
                $this->members((int) $this->expect('~\Ga:(\d{1,10}):\{~'), $depth);
                break;
            case 'O':
                $this->quoted((int) $this->expect('~\GO:(\d{1,10}):"~'));
                $this->members((int) $this->expect('~\G:(\d{1,10}):\{~'), $depth);
                break;
            case 'C': // what a class of its own makes of itself: only it can read that
                $this->quoted((int) $this->expect('~\GC:(\d{1,10}):"~'));
                $this->at += (int) $this->expect('~\G:(\d{1,10}):\{~');
                $this->expect('~\G\}~');
                break;
            case 'E':
                $this->quoted((int) $this->expect('~\GE:(\d{1,10}):"~'));
                $this->expect('~\G;~');
                break;
            default:
                $this->expect(self::SCALAR);
        }
    }

    private function members(int $count, int $depth): void
    {
        while ($count-- > 0) {
            if (($this->text[$this->at] ?? '') === 's') {
                $this->quoted((int) $this->expect('~\Gs:(\d{1,10}):"~'));
                $this->expect('~\G;~');
            } else {
                $this->expect('~\Gi:[+-]?\d+;~');
            }
            $this->value($depth + 1);
        }
        $this->expect('~\G\}~');
    }

    private function string(): void
    {
        $begin = $this->at;
        $inner = $this->quoted((int) $this->expect('~\Gs:(\d{1,10}):"~'));
        $this->expect('~\G;~');
        $changed = ($this->change)($inner);
        if ($changed !== $inner) {
            $this->made .= substr($this->text, $this->copied, $begin - $this->copied)
                . 's:' . strlen($changed) . ":\"$changed\";";
            $this->copied = $this->at;
        }
    }

    /** What stands in quotation marks, of which the first has been read. */
    private function quoted(int $length): string
    {
        if (($this->text[$this->at + $length] ?? '') !== '"') {
            throw new Broken();
        }
        $inner = substr($this->text, $this->at, $length);
        $this->at += $length + 1;
        return $inner;
    }

    private function expect(string $pattern): string
    {
        if (preg_match($pattern, $this->text, $found, 0, $this->at) !== 1) {
            throw new Broken();
        }
        $this->at += strlen($found[0]);
        return $found[1] ?? '';
    }
}
