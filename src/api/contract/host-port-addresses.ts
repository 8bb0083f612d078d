import type { PortMapping } from './sandbox-config.ts';

/** The values of hostIP that mean all addresses. */
const EVERYWHERE: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1)$/;

/** Whether a hostIP names no address in particular. */
export function isEveryAddress(hostIP: string): boolean {
	return EVERYWHERE.has(hostIP);
}

/**
 * The addresses of the machine at which a hostPort of a Pod with a network of its own is open: only such as no other machine
 * reaches. Empty if it is not forwarded. `nodeAddress` is that of PodNetworkTrait.
 */
export function hostPortAddresses(
	{ hostIP, protocol }: Pick<PortMapping, 'hostIP' | 'protocol'>,
	nodeAddress: string | undefined,
): readonly string[] {
	if (protocol === 'SCTP') return [];
	if (isEveryAddress(hostIP)) return ['127.0.0.1', ...(nodeAddress === undefined ? [] : [nodeAddress])];
	return LOOPBACK.test(hostIP) || hostIP === nodeAddress ? [hostIP] : [];
}
