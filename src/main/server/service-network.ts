import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { KUBE_PROXY } from '../../api/contract/user.ts';
import type { ApiServer } from '../../apiserver/server.ts';
import type { Clock } from '../../base/clock.ts';
import { SystemRandom } from '../../base/random.ts';
import { Client } from '../../client/client.ts';
import { transportAs } from '../../client/transport/user-transport.ts';
import type { NodeAgent } from '../../node/agent/agent.ts';
import type { DnsAddress } from '../../node/network/dns/resolver.ts';
import type { ServiceNetwork } from '../../node/network/service-network.ts';
import { CLUSTER_DOMAIN } from '../../plan/pod/config/hostname.ts';
import {
	type AddressRange,
	addressRangeOf,
	addressText,
	DEFAULT_SERVICE_RANGE,
} from '../../plan/services/allocation/ranges.ts';
import type { Log } from '../log.ts';
import type { DataFolder } from './data-folder.ts';
import { thisMachine } from './machine.ts';

/** The parts and settings of {@link serveServices}. */
export interface ServiceNetworkSettings {
	readonly api: ApiServer;
	readonly clock: Clock;
	readonly options: ServiceRangeOptions & {
		readonly maxPods: number;
		readonly log: Log;
	};
	/** The node agents of this process. */
	readonly agents: ReadonlyMap<string, NodeAgent>;
	/** Where the network is put once it runs. */
	readonly network: { current: ServiceNetwork | undefined };
	/** Resolves once the server is ready. */
	readonly ready: Promise<void>;
	onError(component: string, about: string, error: unknown): void;
}

/** The second number of a range: from 64 to 127, so that no range has the addresses that machines use themselves. */
const FIRST_RANGE = 64;
const RANGES = 64;

/** The addresses of Services that a server was given, or those of its data folder. */
export function serviceRangeOf({ serviceRange, folder }: ServiceRangeOptions): AddressRange {
	return serviceRange ?? loopbackRange(folder.path);
}

/** What the addresses of Services depend on. */
export interface ServiceRangeOptions {
	readonly folder: DataFolder;
	readonly serviceRange?: AddressRange;
}

/**
 * The addresses of the Services of a server whose Pods share the network of the machine. They are loopback addresses: all
 * of 127.0.0.0/8 is, and no other machine can reach them. The range depends on the data folder, so that several servers of
 * one machine rarely have the same.
 */
function loopbackRange(folder: string): AddressRange {
	const [first = 0] = createHash('sha256').update(realpathSync(folder)).digest();
	return addressRangeOf(`127.${FIRST_RANGE + (first % RANGES)}.0.0/16`) ?? DEFAULT_SERVICE_RANGE;
}

/** The address of the DNS server in the range: the tenth, as kubeadm has it. */
export function dnsAddressIn({ first }: AddressRange): string {
	return addressText(first + 9);
}

const DNS_PORT = 53;
const MOST_CONNECTIONS = 20_000;
/** Descriptors that connections to Services leave to all other parts of the server. */
const RESERVED_DESCRIPTORS = 2000;
/** A connection to a Service has two: that of the client and that to the endpoint. */
const DESCRIPTORS_EACH = 2;

/**
 * Forwards the ports of Services and answers for their names until `signal` aborts. It begins once the server is ready,
 * since its modules must not delay the start.
 */
export async function serveServices(
	{ api, clock, options, agents, network, ready, onError }: ServiceNetworkSettings,
	signal: AbortSignal,
): Promise<void> {
	await ready;
	const { ServiceNetwork } = await import('../../node/network/service-network.ts');
	const { folder, maxPods, log } = options;
	const dns = dnsAddressIn(serviceRangeOf(options));
	network.current = new ServiceNetwork({
		client: new Client(transportAs(api, KUBE_PROXY), { fieldManager: 'kube-proxy' }),
		clock,
		random: new SystemRandom(),
		domain: CLUSTER_DOMAIN,
		nodeAddress: thisMachine({ folder: folder.path, maxPods }).address,
		dns: { address: dns, port: DNS_PORT },
		mostConnections: await mostConnections(),
		resolvers: async () => resolversIn(await readFile('/etc/resolv.conf', 'utf8'), dns),
		onNames: () => {
			for (const agent of agents.values()) void agent.servicesChanged();
		},
		onRefused: (message) => log.warning(message),
		onError: (key, error) => onError('kube-proxy', key, error),
	});
	await network.current.run(signal);
}

/** The DNS servers that a resolv.conf names, without `own`: questions would come back. */
export function resolversIn(text: string, own: string): readonly DnsAddress[] {
	return [...text.matchAll(/^\s*nameserver\s+([\da-fA-F.:]+)/gm)]
		.map(([, address = '']) => ({ address, port: DNS_PORT }))
		.filter(({ address }) => address !== own);
}

async function mostConnections(): Promise<number> {
	const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
	const descriptors = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
	const own = Math.max(descriptors - RESERVED_DESCRIPTORS, descriptors / DESCRIPTORS_EACH);
	return Math.min(Math.floor(own / DESCRIPTORS_EACH), MOST_CONNECTIONS);
}
