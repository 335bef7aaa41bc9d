<?php

namespace Tests;

use App\Helpers\NotificationHelper;
use App\Models\Service;
use LogicException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\ApiException;
use Paymenter\Extensions\Servers\ProxmoxWP\Api\Hook;
use PHPUnit\Framework\TestCase;
use Tests\Support\Log;

/** Who is told of a hook that failed. */
class HookTest extends TestCase
{
    private Service $service;

    protected function setUp(): void
    {
        Log::clear();
        [NotificationHelper::$sent, NotificationHelper::$isBroken] = [[], false];
        $this->service = new Service(17);
    }

    private function fails(string $sentence): callable
    {
        return fn () => throw new ApiException($sentence, 'validation');
    }

    private function caught(callable $call): string
    {
        try {
            $call();
        } catch (ApiException $e) {
            return $e->getMessage();
        }
        $this->fail('it did not fail');
    }

    public function test_a_failed_order_is_told_to_staff_and_written_down_at_the_service(): void
    {
        $this->assertSame('No.', $this->caught(fn () => Hook::order($this->service, $this->fails('No.'))));
        [[$subject, $body]] = NotificationHelper::$sent;
        $this->assertSame('Service 17: create failed', $subject);
        $this->assertStringContainsString('<p>No.</p>', $body);
        $this->assertStringContainsString('Failed Jobs', $body);
        $this->assertSame(['name' => 'Order failed', 'value' => 'No.'], $this->service->properties()->rows[Hook::FAILED]);
    }

    public function test_an_order_that_succeeds_later_takes_that_back(): void
    {
        $this->caught(fn () => Hook::order($this->service, $this->fails('No.')));
        $this->assertSame(['x' => 'y'], Hook::order($this->service, fn () => ['x' => 'y']));
        $this->assertSame([], $this->service->properties()->rows);
        $this->assertCount(1, NotificationHelper::$sent);
    }

    public function test_any_other_act_that_fails_is_told_and_leaves_the_service_alone(): void
    {
        $this->caught(fn () => Hook::act($this->service, 'suspend', $this->fails('No.')));
        $this->assertSame('Service 17: suspend failed', NotificationHelper::$sent[0][0]);
        $this->assertSame([], $this->service->properties()->rows);
        Hook::act($this->service, 'suspend', fn () => []);
        $this->assertCount(1, NotificationHelper::$sent);
    }

    public function test_what_a_customer_has_typed_is_no_code_in_the_mail(): void
    {
        $hostile = '{{ 7*7 }} {!! phpinfo() !!} @php echo 1 @endphp @include("x") <x-button> <?php echo 1 ?> <script>';
        $this->caught(fn () => Hook::act($this->service, 'suspend', $this->fails($hostile)));
        $body = NotificationHelper::$sent[0][1];
        $compiled = app('blade.compiler')->compileString($body);
        $this->assertSame($body, $compiled);
        $this->assertStringContainsString($hostile, html_entity_decode($body, ENT_QUOTES));
    }

    public function test_a_mail_that_cannot_be_queued_hides_nothing(): void
    {
        NotificationHelper::$isBroken = true;
        $this->assertSame('No.', $this->caught(fn () => Hook::order($this->service, $this->fails('No.'))));
        $this->assertCount(1, Log::$reported);
    }

    public function test_faults_of_ours_are_told_as_well(): void
    {
        try {
            Hook::act($this->service, 'upgrade', fn () => throw new LogicException('Oops.'));
            $this->fail('it did not fail');
        } catch (LogicException) {
            $this->assertCount(1, NotificationHelper::$sent);
        }
    }
}
