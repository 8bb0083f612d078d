import type { Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import type { HostNames } from '../../dns/host-names.ts';
import { hostnameOf, podDomainOf } from './hostname.ts';

/**
 * The `/etc/hosts` that the node writes for a Pod (upstream: `managedHostsFileContent` and `nodeHostsFileContent` in
 * kubelet_pods.go).
 */

/** The file of a Pod with a network of its own: the usual names of loopback, the Pod's own name and its aliases. */
export function managedHostsFile(pod: Pick<Pod, 'metadata' | 'spec'>, podIPs: readonly string[]): string {
	const name = hostnameOf(pod);
	const domain = podDomainOf(pod);
	const names = domain === undefined ? name : `${name}.${domain}\t${name}`;
	return [
		'# Kubernetes-managed hosts file.\n',
		'127.0.0.1\tlocalhost\n',
		'::1\tlocalhost ip6-localhost ip6-loopback\n',
		'fe00::0\tip6-localnet\n',
		'fe00::0\tip6-mcastprefix\n',
		'fe00::1\tip6-allnodes\n',
		'fe00::2\tip6-allrouters\n',
		...podIPs.map((ip) => `${ip}\t${names}\n`),
		aliasesOf(pod.spec),
	].join('');
}

/** The file of a Pod in the network of its node: the node's own file, whose content is `text`, and the aliases. */
export function nodeHostsFile({ spec }: Pick<Pod, 'spec'>, text: string): string {
	return `# Kubernetes-managed hosts file (host network).\n${text}${aliasesOf(spec)}`;
}

/** The file with the names of Services, on a node that has no DNS server for them. */
export function withServiceNames(text: string, services: readonly HostNames[]): string {
	// The names of loopback, of the Pod and of its aliases are not those of Services, whatever those are called.
	const taken = new Set(text.split(/\s+/));
	const lines = services
		.map(({ address, names }) => ({ address, names: names.filter((name) => !taken.has(name)) }))
		.filter(({ names }) => names.length > 0)
		.map(({ address, names }) => `${address}\t${names.join('\t')}\n`);
	if (lines.length === 0) return text;
	return `${text}\n# Services. This node has no DNS server for them.\n${lines.join('')}`;
}

function aliasesOf({ hostAliases = [] }: PodSpec): string {
	if (hostAliases.length === 0) return '';
	const lines = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
	return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
