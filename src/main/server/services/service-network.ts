import { readFile } from 'node:fs/promises';
import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import { KUBE_PROXY } from '../../../api/contract/user.ts';
import type { ApiServer } from '../../../apiserver/server.ts';
import type { Clock } from '../../../base/clock.ts';
import { descriptorLimit } from '../../../base/files/descriptor-limit.ts';
import { SystemRandom } from '../../../base/random.ts';
import { Client } from '../../../client/client.ts';
import { EventRecorder } from '../../../client/event-recorder.ts';
import { transportAs } from '../../../client/transport/user-transport.ts';
import type { NodeAgent, NodeAgentOptions } from '../../../node/agent/agent.ts';
import type { DnsAddress } from '../../../node/network/dns/resolver.ts';
import type { ServiceNetwork } from '../../../node/network/service-network.ts';
import { CLUSTER_DOMAIN } from '../../../plan/pod/config/hostname.ts';
import { type AddressRange, addressText } from '../../../plan/services/allocation/ranges.ts';
import { HOST_SOCKETS } from '../../../runtime/pod-sockets.ts';
import type { Log } from '../../log.ts';
import { NODE_ADDRESS } from '../machine.ts';
import type { ServiceRange } from './service-range.ts';
import { serviceSockets } from './service-sockets.ts';

/** The parts and settings of {@link serveServices}. */
export interface ServiceNetworkSettings {
	readonly api: ApiServer;
	readonly clock: Clock;
	readonly options: { readonly log: Log };
	readonly services: ServiceRange;
	/** The node agents of this process. */
	readonly agents: ReadonlyMap<string, NodeAgent>;
	/** Where the network is put once it runs. */
	readonly network: { current: ServiceNetwork | undefined };
	/** Resolves once the server is ready. */
	readonly ready: Promise<void>;
	onError(component: string, about: string, error: unknown): void;
}

/** The address of the DNS server in the range: the tenth, as kubeadm has it. */
export function dnsAddressIn({ first }: AddressRange): string {
	return addressText(first + 9);
}

type AgentTraits = ReadonlyMap<string, { readonly runtimeTraits: Pick<RuntimeTraits, 'podNetwork'> }>;

/** How Pods reach the API server and the DNS server. */
export function podAccess({
	services,
	agents,
	network,
	endpoint,
}: Pick<ServiceNetworkSettings, 'services'> & {
	readonly agents: AgentTraits;
	readonly network: { readonly current: Pick<ServiceNetwork, 'dnsAddresses'> | undefined };
	readonly endpoint: { readonly url: string | undefined };
}): Required<Pick<NodeAgentOptions, 'apiServerUrl' | 'clusterDns'>> {
	const { range } = services;
	const service = `https://${addressText(range.first)}`;
	return {
		apiServerUrl: (of) =>
			of === 'pod' && leadsToApiServer(services, agents) && endpoint.url !== undefined
				? service
				: endpoint.url,
		clusterDns: () => {
			const areTheirOwn = haveOwnNetworks(agents);
			// From there a loopback address leads to the Pod itself.
			if (areTheirOwn && services.local === undefined) return [];
			return network.current?.dnsAddresses ?? (areTheirOwn ? [dnsAddressIn(range)] : []);
		},
	};
}

/** Whether Pods have networks of their own, from which only addresses of Services lead to the API server. */
function leadsToApiServer({ local }: ServiceRange, agents: AgentTraits): boolean {
	return local !== undefined && haveOwnNetworks(agents);
}

/** An address of the Node that does not lead Pods with networks of their own to themselves; undefined if there is none. */
export function nodeAddressOf({ podNetwork }: Pick<RuntimeTraits, 'podNetwork'>): string | undefined {
	return podNetwork?.kind === 'pod' ? podNetwork.nodeAddress : undefined;
}

function haveOwnNetworks(agents: AgentTraits): boolean {
	const [agent] = agents.values();
	return agent?.runtimeTraits.podNetwork?.kind === 'pod';
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
	{ api, clock, options, services, agents, network, ready, onError }: ServiceNetworkSettings,
	signal: AbortSignal,
): Promise<void> {
	await ready;
	const { ServiceNetwork } = await import('../../../node/network/service-network.ts');
	const { log } = options;
	const [agent] = agents.values();
	const dns = dnsAddressIn(services.range);
	const own = agent && nodeAddressOf(agent.runtimeTraits);
	const client = new Client(transportAs(api, KUBE_PROXY), { fieldManager: 'kube-proxy' });
	const recorder = new EventRecorder({
		client,
		clock,
		component: 'kube-proxy',
		onError: (error) => onError('kube-proxy', 'event', error),
	});
	const nodeAddresses = own === undefined ? [NODE_ADDRESS] : [NODE_ADDRESS, own];
	const { sockets, stop } = await serviceSockets({
		own: agent?.podSockets ?? HOST_SOCKETS,
		direct: nodeAddresses,
		clock,
		onError: (error) => onError('kube-proxy', 'ports', error),
	});
	network.current = new ServiceNetwork({
		client,
		clock,
		random: new SystemRandom(),
		sockets,
		domain: CLUSTER_DOMAIN,
		nodeAddresses,
		dns: { address: dns, port: DNS_PORT },
		serviceRange: services.range.text,
		leadsToApiServer: leadsToApiServer(services, agents),
		mostConnections: mostConnections(),
		resolvers: async () => resolversIn(await readFile('/etc/resolv.conf', 'utf8'), dns),
		onNames: () => {
			for (const agent of agents.values()) void agent.servicesChanged();
		},
		onRefused: (message, service) => {
			log.warning(message);
			if (service) recorder.event(service, { type: 'Warning', reason: 'PortNotServed', message });
		},
		onError: (key, error) => onError('kube-proxy', key, error),
	});
	try {
		await network.current.run(signal);
	} finally {
		stop();
	}
}

/** The DNS servers that a resolv.conf names, without `own`: questions would come back. */
export function resolversIn(text: string, own: string): readonly DnsAddress[] {
	return [...text.matchAll(/^\s*nameserver\s+([\da-fA-F.:]+)/gm)]
		.map(([, address = '']) => ({ address, port: DNS_PORT }))
		.filter(({ address }) => address !== own);
}

/** How many TCP connections to Services a server holds at once: each has two descriptors of those that this process may have. */
export function mostConnections(): number {
	const descriptors = descriptorLimit() ?? Number.POSITIVE_INFINITY;
	const own = Math.max(descriptors - RESERVED_DESCRIPTORS, descriptors / DESCRIPTORS_EACH);
	return Math.min(Math.floor(own / DESCRIPTORS_EACH), MOST_CONNECTIONS);
}
