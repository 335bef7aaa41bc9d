<?php

namespace Tests;

use Paymenter\Extensions\Shared\ApiException;
use Paymenter\Extensions\Shared\Client;
use PHPUnit\Framework\TestCase;
use Tests\Support\Demo;
use Tests\Support\OddServer;

class ClientTest extends TestCase
{
    private function refusal(callable $call): ApiException
    {
        try {
            $call();
        } catch (ApiException $e) {
            return $e;
        }
        $this->fail('It was no refusal.');
    }

    private function odd(string $way, float $timeout = 5): Client
    {
        return new Client(OddServer::way($way), 'token', $timeout);
    }

    public function test_a_call_with_the_right_token_is_answered(): void
    {
        $answer = Demo::client()->get('/whoami');
        $this->assertTrue($answer['success']);
        $this->assertContains('sites', $answer['scopes']);
    }

    public function test_base_and_token_may_have_slashes_and_spaces_around_them(): void
    {
        $client = new Client(' '.Demo::url().'// ', ' '.Demo::token()."\n");
        $this->assertTrue($client->get('/whoami')['success']);
    }

    public function test_a_request_is_json_with_a_token_and_asks_for_json(): void
    {
        $answer = $this->odd('echo')->post('/create-site', ['service_id' => '17', 'enabled' => false], ['Idempotency-Key' => 'k']);
        $this->assertSame('POST', $answer['method']);
        $this->assertSame('/echo/create-site', $answer['path']);
        $this->assertSame(['service_id' => '17', 'enabled' => false], json_decode($answer['body'], true));
        $headers = array_intersect_key($answer['headers'], array_flip(['authorization', 'accept', 'content-type', 'idempotency-key']));
        $this->assertEquals(['authorization' => 'Bearer token', 'accept' => 'application/json', 'content-type' => 'application/json',
            'idempotency-key' => 'k'], $headers);
    }

    public function test_a_body_without_fields_is_an_object(): void
    {
        $this->assertSame('{}', $this->odd('echo')->post('/x')['body']);
    }

    public function test_text_that_is_not_utf8_is_sent_repaired(): void
    {
        $body = json_decode($this->odd('echo')->post('/x', ['domain' => "a\xffb"])['body'], true);
        $this->assertSame("a\u{fffd}b", $body['domain']);
    }

    public function test_a_query_is_encoded(): void
    {
        $path = $this->odd('echo')->get('/status', ['service_id' => 'a&b=c d"'])['path'];
        parse_str((string) parse_url($path, PHP_URL_QUERY), $query);
        $this->assertSame(['service_id' => 'a&b=c d"'], $query);
    }

    /** @return array<string, array{string}> */
    public static function wrongAddresses(): array
    {
        return array_map(fn ($base) => [$base], ['empty' => '', 'none' => 'nodepoint:8080', 'file' => 'file:///etc/passwd',
            'no host' => 'http://', 'password' => 'http://u:p@host', 'query' => 'http://host/?a=', 'space' => 'http://ho st',
            'line' => "http://host\r\nX: y", 'port' => 'http://host:port', 'script' => 'javascript:alert(1)//http://host']);
    }

    /** @dataProvider wrongAddresses */
    public function test_an_address_that_is_none_is_refused_at_once(string $base): void
    {
        $this->assertTrue($this->refusal(fn () => new Client($base, 'token'))->is('settings'));
    }

    public function test_a_token_that_is_none_is_refused_at_once(): void
    {
        foreach ([null, '', '  ', "a\r\nX-Evil: 1", 'ключ'] as $token) {
            $this->assertTrue($this->refusal(fn () => new Client('http://127.0.0.1', $token))->is('settings'));
        }
    }

    public function test_an_unknown_token_is_refused_with_the_backends_sentence(): void
    {
        $e = $this->refusal(fn () => (new Client(Demo::url(), 'np_wrong'))->get('/whoami'));
        $this->assertSame([401, 'unauthorized'], [$e->status, $e->errorCode]);
        $this->assertSame(401, $e->getCode());
        $this->assertNotSame('', $e->getMessage());
    }

    public function test_field_errors_and_the_request_id_come_along(): void
    {
        $e = $this->refusal(fn () => Demo::client()->post('/create-site', ['service_id' => '-']));
        $this->assertSame([400, 'validation'], [$e->status, $e->errorCode]);
        $this->assertArrayHasKey('email', $e->fields);
        $this->assertArrayHasKey('service_id', $e->fields);
        $this->assertSame($e->body['request_id'], $e->context()['request_id']);
        $this->assertSame('/create-site', $e->context()['path']);
    }

    public function test_what_does_not_exist_is_not_found(): void
    {
        $e = $this->refusal(fn () => Demo::client()->get('/status', ['service_id' => 'never-seen']));
        $this->assertSame([404, 'not_found'], [$e->status, $e->errorCode]);
        $this->assertSame('There is no site for this service.', $e->getMessage());
    }

    /** @return array<string, array{string, int, string, string}> */
    public static function nonsense(): array
    {
        $odd = 'The backend gave an answer that could not be understood.';
        $away = 'The backend could not be reached.';

        return [
            'a page of a proxy' => ['html', 502, 'unreachable', $away],
            'another page of a proxy' => ['away', 503, 'unreachable', $away],
            'a proxy that says nothing' => ['empty504', 504, 'unreachable', $away],
            'a proxy that speaks JSON' => ['other502', 502, 'unreachable', $away],
            'a page with a paragraph' => ['paragraph', 500, 'bad_answer', 'The database is away & back soon.'],
            'a list' => ['list', 200, 'bad_answer', $odd],
            'a string' => ['string', 200, 'bad_answer', $odd],
            'a number' => ['number', 200, 'bad_answer', $odd],
            'null' => ['null', 200, 'bad_answer', $odd],
            'half a JSON' => ['garbage', 200, 'bad_answer', $odd],
            'a page of another server' => ['page', 200, 'bad_answer', $odd],
            'nothing' => ['nothing', 200, 'bad_answer', $odd],
            'an object of another server' => ['bare', 200, 'bad_answer', $odd],
            'a refusal with status 200' => ['refusal', 200, 'busy', 'Not today.'],
            'an empty failure' => ['empty500', 500, 'bad_answer', 'The backend refused the request (HTTP 500).'],
            'an error of another shape' => ['teapot', 418, 'bad_answer', 'The backend refused the request (HTTP 418).'],
        ];
    }

    /** @dataProvider nonsense */
    public function test_nonsense_becomes_one_sentence(string $way, int $status, string $code, string $sentence): void
    {
        foreach (['get', 'post'] as $method) {
            $e = $this->refusal(fn () => $this->odd($way)->$method('/status'));
            $this->assertSame([$status, $code, $sentence], [$e->status, $e->errorCode, $e->getMessage()]);
        }
    }

    public function test_an_error_that_is_not_utf8_can_be_shown(): void
    {
        $e = $this->refusal(fn () => $this->odd('utf8')->get('/x'));
        $this->assertTrue(mb_check_encoding($e->getMessage(), 'UTF-8'));
        $this->assertNotSame('', $e->getMessage());
    }

    public function test_a_redirect_is_not_followed(): void
    {
        $e = $this->refusal(fn () => $this->odd('redirect')->post('/create-site', ['service_id' => '1']));
        $this->assertSame([301, 'bad_answer'], [$e->status, $e->errorCode]);
        $this->assertStringContainsString('redirect', $e->getMessage());
    }

    public function test_paths_with_a_slash_at_the_end_need_no_redirect(): void
    {
        $e = $this->refusal(fn () => Demo::client()->post('/wp/upgrade/', ['service_id' => 'never-seen', 'plan' => 'basic']));
        $this->assertSame('not_found', $e->errorCode);
    }

    public function test_a_server_that_hangs_is_given_up_in_time(): void
    {
        foreach (['hang', 'drip'] as $way) {
            $began = microtime(true);
            $e = $this->refusal(fn () => $this->odd($way, 0.5)->get('/status'));
            $this->assertSame([0, 'timeout', 'The backend did not answer in time.'], [$e->status, $e->errorCode, $e->getMessage()]);
            $this->assertLessThan(2, microtime(true) - $began);
        }
    }

    public function test_nobody_there_and_a_dropped_connection_are_unreachable(): void
    {
        foreach (['http://127.0.0.1:9', 'http://no-such-host.invalid', OddServer::way('drop')] as $base) {
            $e = $this->refusal(fn () => (new Client($base, 'token', 3))->get('/status'));
            $this->assertSame([0, 'unreachable'], [$e->status, $e->errorCode], $base);
            $this->assertStringNotContainsString('127.0.0.1', $e->getMessage());
            $this->assertTrue($e->isUnanswered());
        }
    }

    public function test_an_address_without_tls_behind_https_is_unreachable(): void
    {
        $e = $this->refusal(fn () => (new Client(str_replace('http:', 'https:', Demo::url()), 'token', 3))->get('/whoami'));
        $this->assertSame('unreachable', $e->errorCode);
    }

    public function test_within_changes_only_the_patience(): void
    {
        $began = microtime(true);
        $this->refusal(fn () => $this->odd('hang', 30)->within(0.3)->get('/status'));
        $this->assertLessThan(2, microtime(true) - $began);
        $this->assertTrue(Demo::client()->within(5)->get('/whoami')['success']);
    }

    public function test_within_no_time_is_not_for_ever(): void
    {
        $began = microtime(true);
        $this->refusal(fn () => $this->odd('hang')->within(-3)->get('/status'));
        $this->assertLessThan(2, microtime(true) - $began);
    }

    public function test_insist_asks_again_while_the_database_is_away(): void
    {
        $this->assertTrue($this->odd('soon')->insist('/suspend', ['service_id' => '1'], [], 10)['success']);
    }

    public function test_insist_and_read_ask_again_while_a_proxy_finds_nobody(): void
    {
        $this->assertTrue($this->odd('restart')->insist('/suspend', ['service_id' => '1'], [], 10)['success']);
        $this->assertTrue($this->odd('restart')->read('/status')['success']);
        $this->assertSame('unreachable', $this->refusal(fn () => $this->odd('restart')->ask('/getdata', []))->errorCode);
        $this->assertTrue($this->odd('restart')->ask('/getdata', [])['success']); // the third time
        $this->assertSame('unreachable', $this->refusal(fn () => $this->odd('restart')->get('/once'))->errorCode);
        $this->assertSame('unreachable', $this->refusal(fn () => $this->odd('restart')->post('/once-only'))->errorCode);
    }

    public function test_a_read_is_repeated_once_and_ends_in_time(): void
    {
        $began = microtime(true);
        $this->assertSame(502, $this->refusal(fn () => $this->odd('html')->read('/status'))->status);
        $this->assertLessThan(2.5, microtime(true) - $began);
        $began = microtime(true);
        $this->refusal(fn () => $this->odd('html', 0.5)->read('/status', [], 4));
        $this->assertLessThan(4.5, microtime(true) - $began);
    }

    public function test_a_connection_that_does_not_come_about_is_away_and_not_late(): void
    {
        foreach (['Connection timed out after 3001 milliseconds', 'Connection timeout after 3001 ms', 'Resolving timed out after 3001 ms',
            'Failed to connect to 192.0.2.1 port 80 after 3001 ms: Timeout was reached'] as $text) {
            $e = ApiException::unanswered(new \RuntimeException("cURL error 28: $text"), '/suspend');
            $this->assertSame(['unreachable', "cURL error 28: $text"], [$e->errorCode, $e->context()['detail']]);
        }
        $late = new \RuntimeException('cURL error 28: Operation timed out after 8001 milliseconds with 0 bytes received');
        $this->assertSame('timeout', ApiException::unanswered($late, '/suspend')->errorCode);
    }

    public function test_what_is_secret_leaves_no_event_for_paymenters_log_of_calls(): void
    {
        $seen = [];
        $events = new \Illuminate\Events\Dispatcher;
        $events->listen(\Illuminate\Http\Client\Events\ResponseReceived::class, function ($event) use (&$seen) {
            $seen[] = $event->request->url();
        });
        $before = \Illuminate\Support\Facades\Http::getFacadeRoot();
        \Illuminate\Support\Facades\Http::swap(new \Illuminate\Http\Client\Factory($events));
        try {
            $this->odd('echo')->post('/seen');
            $this->odd('echo')->unlogged()->within(3)->post('/unseen');
        } finally {
            \Illuminate\Support\Facades\Http::swap($before);
        }
        $this->assertSame([OddServer::way('echo').'/seen'], $seen);
    }

    public function test_insist_ends_in_time_and_does_not_repeat_what_was_refused(): void
    {
        $began = microtime(true);
        $e = $this->refusal(fn () => (new Client('http://127.0.0.1:9', 'token'))->insist('/suspend', [], [], 3.5));
        $this->assertSame('unreachable', $e->errorCode);
        $this->assertGreaterThan(1, microtime(true) - $began);
        $this->assertLessThan(4, microtime(true) - $began);

        $began = microtime(true);
        $this->assertSame('busy', $this->refusal(fn () => $this->odd('refusal')->insist('/suspend', []))->errorCode);
        $this->assertLessThan(1, microtime(true) - $began);
    }

    public function test_insist_has_the_backend_answer_before_it_gives_up(): void
    {
        $wait = fn (float $seconds) => $this->odd('echo')->insist('/suspend', [], [], $seconds)['headers']['prefer'];
        $this->assertSame('wait=20', $wait(27));
        $this->assertSame('wait=6', $wait(10.5));
        $this->assertSame('wait=0', $wait(2));
    }
}
