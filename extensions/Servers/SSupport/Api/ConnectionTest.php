<?php

// A copy of extensions/shared/ConnectionTest.php, made by script/extensions. Change it there.

namespace Paymenter\Extensions\Servers\SSupport\Api;

/**
 * The button "Test Connection" on a server's settings page.
 */
final class ConnectionTest
{
    /** Seconds; somebody waits in front of the page. */
    private const PATIENCE = 8;

    /**
     * Asks the backend whose key this is.
     *
     * @param  string|null  $base  the address as it stands in the form
     * @param  string|null  $token  the key as it stands in the form
     * @param  string  $scope  what the key must be good for: `sites`, `dns` or `support`
     * @return true|string true, or one sentence that names what is wrong: the address, the key or its scope
     */
    public static function run(?string $base, ?string $token, string $scope): bool|string
    {
        try {
            $answer = (new Client($base, $token, self::PATIENCE))->get('/whoami');
        } catch (ApiException $e) {
            return match (true) {
                $e->is('unauthorized') => 'The address is right, but the API key is unknown, expired or revoked.',
                $e->isUnanswered() => $e->getMessage().' Is the address right, and may this server reach it?',
                default => $e->getMessage(),
            };
        }
        $scopes = $answer['scopes'] ?? null;
        if (! is_array($scopes) || ! in_array($scope, $scopes, true)) {
            return "The address and the API key are right, but the key lacks the scope \"$scope\".";
        }

        return true;
    }
}
