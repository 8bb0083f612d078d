/**
 * The `/etc/resolv.conf` of a Pod (upstream: `GetPodDNS` in pkg/kubelet/network/dns, and the file that a CRI runtime makes
 * of it).
 *
 * Other than a kubelet, a node without cluster DNS does not report that (MissingClusterDNS): here it is the usual case. And
 * the order of options is that of their first occurrence, where upstream's is random.
 */
import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { CLUSTER_DOMAIN } from './hostname.ts';

/** Name resolution, as a CRI runtime gets it. */
export interface DnsConfig {
	readonly servers: readonly string[];
	readonly searches: readonly string[];
	/** `name:value`, or the name alone. */
	readonly options: readonly string[];
}

/** What the name resolution of Pods starts from. */
export interface NodeDns {
	/** The text of the node's own file. */
	readonly resolvConf: string;
	/** The addresses of the cluster's DNS; empty if there is none. */
	readonly clusterServers: readonly string[];
}

/** Upstream's limits: MaxDNSNameservers, MaxDNSSearchPaths and MaxDNSSearchListChars of pkg/apis/core/validation. */
const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCH_LINE = 2048;
/** Some resolvers abort on a longer one. */
const LONGEST_SEARCH = 253;

const NOTHING: DnsConfig = { servers: [], searches: [], options: [] };

type PodDnsType = 'cluster' | 'node' | 'none';

/** Upstream: `getPodDNSType`. */
function dnsTypeOf({ spec: { dnsPolicy, hostNetwork } }: Pick<Pod, 'spec'>, hasCluster: boolean): PodDnsType {
	if (dnsPolicy === 'None') return 'none';
	const wantsCluster = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy !== 'Default' && !hostNetwork);
	return wantsCluster && hasCluster ? 'cluster' : 'node';
}

/** Whether the Pod finds Services by their names, if the cluster has names for them. */
export function resolvesServices(pod: Pick<Pod, 'spec'>): boolean {
	return dnsTypeOf(pod, true) === 'cluster';
}

/** Whether the name resolution of the Pod is that of its node, so that it needs no file of its own. */
export function resolvesAsNode(pod: Pick<Pod, 'spec'>, clusterServers: readonly string[]): boolean {
	return pod.spec.dnsConfig === undefined && dnsTypeOf(pod, clusterServers.length > 0) === 'node';
}

/** The name resolution of a Pod within upstream's limits, with an Event for each limit that has cut it. */
export function dnsConfigOf(
	pod: Pick<Pod, 'metadata' | 'spec'>,
	node: NodeDns,
): { readonly config: DnsConfig; readonly events: readonly EventText[] } {
	const config = withPodConfig(baseOf(pod, node), pod.spec.dnsConfig);
	const servers = config.servers.slice(0, MOST_SERVERS);
	const { searches, isCut } = fittingSearches(config.searches);
	return {
		config: { ...config, servers, searches },
		events: [
			...(servers.length < config.servers.length
				? [
						exceeded(
							'Nameserver',
							`nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`,
						),
					]
				: []),
			...(isCut
				? [
						exceeded(
							'Search Line',
							`search paths have been omitted, the applied search line is: ${searches.join(' ')}`,
						),
					]
				: []),
		],
	};
}

function exceeded(limit: string, effect: string): EventText {
	const message = `${limit} limits were exceeded, some ${effect}`;
	return { type: 'Warning', reason: 'DNSConfigForming', message };
}

/** The text of the file, in the order of containerd's. */
export function resolvConfText({ servers, searches, options }: DnsConfig): string {
	return [
		...(searches.length > 0 ? [`search ${searches.join(' ')}\n`] : []),
		...servers.map((server) => `nameserver ${server}\n`),
		...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
	].join('');
}

function baseOf(pod: Pick<Pod, 'metadata' | 'spec'>, { resolvConf, clusterServers }: NodeDns): DnsConfig {
	const type = dnsTypeOf(pod, clusterServers.length > 0);
	if (type === 'none') return NOTHING;
	const own = parseResolvConf(resolvConf);
	if (type === 'node') return own;
	const service = `svc.${CLUSTER_DOMAIN}`;
	const searches = [`${pod.metadata.namespace ?? ''}.${service}`, service, CLUSTER_DOMAIN, ...own.searches];
	return { servers: clusterServers, searches: [...new Set(searches)], options: ['ndots:5'] };
}

/** Upstream: `appendDNSConfig`. */
function withPodConfig(base: DnsConfig, given: Pod['spec']['dnsConfig']): DnsConfig {
	if (!given) return base;
	const { nameservers = [], searches = [], options = [] } = given;
	const added = options.map(({ name = '', value }) => (value ? `${name}:${value}` : name));
	return {
		servers: [...new Set([...base.servers, ...nameservers])],
		searches: [...new Set([...base.searches, ...searches])],
		options: mergeOptions(base.options, added),
	};
}

/** Of options with the same name, the last one counts. */
function mergeOptions(before: readonly string[], added: readonly string[]): readonly string[] {
	const byName = new Map([...before, ...added].map((option) => [option.split(':', 1)[0], option]));
	return [...byName.values()];
}

/** Upstream: `formDNSSearchFitsLimits`. */
function fittingSearches(given: readonly string[]): {
	readonly searches: readonly string[];
	readonly isCut: boolean;
} {
	const searches = given.slice(0, MOST_SEARCHES).filter((search) => search.length <= LONGEST_SEARCH);
	let length = searches.join(' ').length;
	while (length > LONGEST_SEARCH_LINE) length -= (searches.pop()?.length ?? 0) + 1;
	return { searches, isCut: searches.length < given.length };
}

/** Upstream: `parseResolvConf`; a line without an address, which is an error there, is ignored. */
function parseResolvConf(text: string): DnsConfig {
	const servers: string[] = [];
	let searches: readonly string[] = [];
	let options: readonly string[] = [];
	for (const line of text.split('\n')) {
		const [keyword, ...values] = line.trim().split(/\s+/);
		const [first] = values;
		if (keyword === 'nameserver' && first !== undefined) servers.push(first);
		if (keyword === 'search')
			searches = values.filter((search) => search !== '.').map((search) => search.replace(/\.$/, ''));
		if (keyword === 'options') options = mergeOptions(options, values);
	}
	return { servers, searches, options };
}
