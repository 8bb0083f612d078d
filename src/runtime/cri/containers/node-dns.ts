import type { SandboxDns } from '../../../api/contract/sandbox-config.ts';

/** Name resolution as a runtime of the CRI takes it. */
export interface DnsLists {
	readonly servers: readonly string[];
	readonly searches: readonly string[];
	readonly options: readonly string[];
}

/** The most name servers that the resolvers of C libraries read. */
const MOST_SERVERS = 3;

/**
 * The name resolution of a Pod; undefined: the node's as it is. `nodeFile` is the text of the node's resolv.conf, to which
 * the lists of the Pod are added (upstream: `appendDNSConfig` in pkg/kubelet/network/dns). Pure.
 */
export function dnsOf(dns: SandboxDns, nodeFile: string): DnsLists | undefined {
	const { base, servers, searches, options } = dns;
	if (base === 'none') return { servers, searches, options };
	if (servers.length + searches.length + options.length === 0) return undefined;
	const node = parseResolvConf(nodeFile);
	return {
		servers: [...new Set([...node.servers, ...servers])].slice(0, MOST_SERVERS),
		searches: [...new Set([...node.searches, ...searches])],
		options: mergedOptions(node.options, options),
	};
}

/** An option of the Pod replaces that of the same name. */
function mergedOptions(node: readonly string[], pod: readonly string[]): readonly string[] {
	const byName = new Map([...node, ...pod].map((option) => [option.split(':')[0] ?? '', option]));
	return [...byName.values()];
}

/** The parts of a resolv.conf. Of several lines with searches or options the last one counts. */
function parseResolvConf(text: string): DnsLists {
	const lines = text
		.split('\n')
		.map((line) =>
			line
				.replace(/[#;].*$/, '')
				.trim()
				.split(/\s+/),
		)
		.filter(([key]) => key !== '');
	const last = (key: string): readonly string[] => lines.findLast(([name]) => name === key)?.slice(1) ?? [];
	return {
		servers: lines.filter(([key]) => key === 'nameserver').flatMap(([, server]) => server ?? []),
		searches: last('search'),
		options: last('options'),
	};
}
