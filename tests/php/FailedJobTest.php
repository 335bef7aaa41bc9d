<?php

namespace Tests;

use Illuminate\Queue\Failed\DatabaseUuidFailedJobProvider;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Client;
use PHPUnit\Framework\TestCase;
use RuntimeException;
use Tests\Support\Demo;
use Tests\Support\OddServer;
use Tests\Support\Paymenter\Database;

/** What staff read in Admin, Failed Jobs: the first line of what Laravel stores there, cut after 200 characters. */
class FailedJobTest extends TestCase
{
    private function stored(callable $hook): string
    {
        Database::start();
        try {
            $hook();
        } catch (RuntimeException $e) {
            $provider = new DatabaseUuidFailedJobProvider(Database::$manager->getDatabaseManager(), 'default', 'failed_jobs');
            $provider->log('database', 'default', json_encode(['uuid' => 'a', 'displayName' => 'CreateJob']), $e);
        }

        return Database::$manager->table('failed_jobs')->value('exception');
    }

    public function test_the_sentence_stands_first_and_alone(): void
    {
        $refused = $this->stored(fn () => Demo::client()->post('/suspend', ['service_id' => 'never-seen']));
        $this->assertSame('There is no site for this service.', explode("\n", $refused)[0]);
        $this->assertMatchesRegularExpression('/"request_id":"\w+"/', explode("\n", $refused)[1]);
    }

    /** @dataProvider troubles */
    public function test_what_the_http_client_said_comes_after_it(string $base, string $sentence): void
    {
        $stored = $this->stored(fn () => (new Client($base, 'token', 0.5))->post('/suspend'));
        $this->assertSame($sentence, explode("\n", $stored)[0]);
        $this->assertStringNotContainsString('Next ', $stored); // which stands between an exception and its previous one
    }

    public static function troubles(): array
    {
        return [
            'nobody listens' => ['http://127.0.0.1:9', 'The backend could not be reached.'],
            'a proxy' => [OddServer::way('html'), 'The backend could not be reached.'],
            'it hangs' => [OddServer::way('hang'), 'The backend did not answer in time.'],
        ];
    }

    public function test_the_detail_is_there_for_staff(): void
    {
        $stored = $this->stored(fn () => (new Client('http://127.0.0.1:9', 'token', 1))->post('/suspend'));
        $this->assertStringContainsString('cURL error 7', explode("\n", $stored)[1]);
    }
}
