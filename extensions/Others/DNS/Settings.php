<?php

namespace Paymenter\Extensions\Others\DNS;

use Paymenter\Extensions\Others\DNS\Api\ApiException;
use Paymenter\Extensions\Others\DNS\Api\Client;

/**
 * What staff have set.
 */
final class Settings
{
    /** What records hold instead of the proxy's address, for those who read and write them. */
    public const ALIAS = 'PROXYSRV';

    public readonly string $base;

    public readonly string $token;

    public readonly string $proxyAddress;

    /** @var list<string> */
    public readonly array $nameservers;

    public function __construct(?string $base, ?string $token, ?string $proxyAddress, ?string $nameservers)
    {
        $this->base = self::withoutPath($base);
        $this->token = (string) $token;
        $this->proxyAddress = trim((string) $proxyAddress);
        $this->nameservers = preg_split('/[\s,;]+/', (string) $nameservers, -1, PREG_SPLIT_NO_EMPTY);
    }

    /** Older installations set DNS_BACKEND_URL with the path of its calls at the end. */
    public static function withoutPath(?string $base): string
    {
        return (string) preg_replace('~/+customdomain/*$~i', '', rtrim(trim((string) $base), '/'));
    }

    /** @throws ApiException `settings`: the address or the token cannot be right */
    public function client(): Client
    {
        return new Client($this->base, $this->token);
    }

    /** A record's data as it is shown. */
    public function shown(Record $record): string
    {
        $isProxy = $record->type === 'A' && $record->data === $this->proxyAddress && $record->data !== '';

        return $isProxy ? self::ALIAS : $record->data;
    }
}
