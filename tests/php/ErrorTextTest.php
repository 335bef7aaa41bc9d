<?php

namespace Tests;

use Paymenter\Extensions\Shared\ErrorText;
use PHPUnit\Framework\TestCase;

class ErrorTextTest extends TestCase
{
    /** @return array<string, array{string, string}> */
    public static function texts(): array
    {
        return [
            'JSON' => ['{"success": false, "error": "The domain is taken."}', 'The domain is taken.'],
            'JSON behind the prefix of old clients' => [
                'API POST /action/setdomain failed: HTTP 409 {"error": "The domain is taken."}', 'The domain is taken.'],
            'JSON whose error looks like markup' => ['{"error": "<script>x</script> is no domain."}', '<script>x</script> is no domain.'],
            'JSON without an error' => ['{"detail": "secret"}', 'The backend gave no reason.'],
            'JSON whose error is no text' => ['{"error": {"a": 1}}', 'The backend gave no reason.'],
            'the first paragraph of a page' => ['<h1>500</h1><p class="x">The <b>site</b>&nbsp;is away.</p><p>2</p>', 'The site is away.'],
            'a page whose first paragraph is empty' => ['<p> </p><div>Bad Gateway</div>', 'Bad Gateway'],
            'a page without paragraphs' => [
                '<head><title>t</title></head><style>p{}</style><script>alert(1)</script><h1>Bad</h1>Gateway', 'Bad Gateway'],
            'tags that never end' => ['Bad <img src=x onerror=alert(1)', 'Bad'],
            'entities do not become markup that was stripped' => ['a &lt;b&gt; c', 'a <b> c'],
            'plain text' => ["Two\n\tlines\x00 here", 'Two lines here'],
            'less than is no tag' => ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
            'the prefix with text' => ['API GET /status failed: HTTP 500: It broke', 'It broke'],
            'the prefix alone' => ['API POST /suspend failed: HTTP 409', 'The backend gave no reason.'],
            'nothing' => ['', 'The backend gave no reason.'],
            'white space' => [" \n ", 'The backend gave no reason.'],
            'only tags' => ['<div><br></div>', 'The backend gave no reason.'],
            'other alphabets' => ['Домен занят – 例え', 'Домен занят – 例え'],
            'what is not UTF-8' => ["bad \xff byte", 'bad ? byte'],
        ];
    }

    /** @dataProvider texts */
    public function test_one_plain_sentence_comes_out(string $text, string $sentence): void
    {
        $this->assertSame($sentence, ErrorText::clean($text));
    }

    public function test_a_long_text_is_cut(): void
    {
        $text = ErrorText::clean(str_repeat('ä ', 5_000_000));
        $this->assertLessThanOrEqual(300, mb_strlen($text));
        $this->assertStringEndsWith('…', $text);
    }

    public function test_the_caller_may_say_what_stands_for_nothing(): void
    {
        $this->assertSame('Nothing.', ErrorText::clean('<br>', 'Nothing.'));
    }
}
