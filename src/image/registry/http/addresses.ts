import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { RegistryError } from '../registry-error.ts';

/**
 * Addresses that need care, because names of images, redirects and token services come from strangers while the
 * requests come from this machine.
 *
 * 1. The services by which clouds give a machine its credentials are never requested.
 * 2. A service of this machine is requested only if the user, and not a remote registry, named it.
 */

/** Where clouds serve the credentials of the machine, and all other link-local addresses. */
const METADATA = new BlockList();
METADATA.addSubnet('169.254.0.0', 16, 'ipv4');
METADATA.addSubnet('fe80::', 10, 'ipv6');
METADATA.addAddress('fd00:ec2::254', 'ipv6');
METADATA.addAddress('100.100.100.200', 'ipv4');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addSubnet('0.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addAddress('::', 'ipv6');

/** Whether the address is one of this machine's loopback interface. */
export function isLoopbackAddress(address: string): boolean {
	return isListed(LOOPBACK, address);
}

/** Whether the host of a URL is this machine: `localhost`, or an address of the loopback interface. */
export function isThisMachine(hostname: string): boolean {
	return (
		hostname === 'localhost' || hostname.endsWith('.localhost') || isLoopbackAddress(unbracketed(hostname))
	);
}

/** The host of a URL without the brackets of an IPv6 address. */
export function unbracketed(hostname: string): string {
	return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Throws RegistryError if a request to `address`, an IP address or the host of a URL, would be unsafe. */
export function checkAddress(address: string, allowLoopback: boolean): void {
	const problem = isListed(METADATA, unbracketed(address))
		? 'link-local and metadata addresses are no registries'
		: !allowLoopback && isThisMachine(address)
			? 'a remote registry must not send requests to this machine'
			: undefined;
	if (problem) throw new RegistryError(`request to ${address} refused: ${problem}`, { kind: 'refused' });
}

/** Resolves names as Node does, but fails if one of the addresses is unsafe. */
export function guardedLookup(allowLoopback: boolean): LookupFunction {
	return (hostname, options, callback) => {
		resolve(hostname, { ...options, all: true }, (error, addresses) => {
			const failure = error ?? unsafeAmong(addresses, allowLoopback);
			const [first] = addresses ?? [];
			if (failure || !first) return callback(failure ?? new Error(`no address of ${hostname}`), '', 0);
			if (options.all) callback(null, addresses);
			else callback(null, first.address, first.family);
		});
	};
}

function unsafeAmong(addresses: readonly LookupAddress[], allowLoopback: boolean): Error | undefined {
	try {
		for (const { address } of addresses) checkAddress(address, allowLoopback);
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
	return undefined;
}

/** An IPv4 address in the form of IPv6 (`::ffff:127.0.0.1`) counts as the IPv4 address; BlockList knows them. */
function isListed(list: BlockList, address: string): boolean {
	const family = isIP(address);
	return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}
