import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { HostNames } from '../../plan/dns/host-names.ts';
import { managedHostsFile, nodeHostsFile, withServiceNames } from '../../plan/pod/config/hosts-file.ts';
import {
	dnsConfigOf,
	resolvConfText,
	resolvesAsNode,
	resolvesServices,
} from '../../plan/pod/config/resolv-conf.ts';
import type { InputValues } from '../../plan/pod/inputs/values.ts';
import type { VolumeHost } from './volume-host.ts';

/** The components and settings of {@link NetworkFiles}. */
export interface NetworkFilesOptions {
	readonly volumes: VolumeHost;
	readonly traits: Pick<RuntimeTraits, 'hostsFile' | 'resolvConf' | 'podNetwork'>;
	/** The addresses of the cluster's DNS; empty while there is none. */
	clusterDns(): readonly string[];
	/** The names of Services for the Pods of a namespace, if there is no DNS for them. */
	serviceNames(namespace: string): readonly HostNames[];
	record(pod: Pod, event: EventText): void;
}

/** The files about names that the node mounts into the containers of a Pod. */
export class NetworkFiles {
	readonly #options: NetworkFilesOptions;

	constructor(options: NetworkFilesOptions) {
		this.#options = options;
	}

	/** Writes the files for a start of a container, as far as the runtime leaves them to the node. */
	async write(pod: Pod, podIP: string): Promise<Pick<InputValues, 'hostsFile' | 'resolvConf'>> {
		return { ...(await this.#hostsFile(pod, podIP)), ...(await this.#resolvConf(pod)) };
	}

	/** Writes `/etc/hosts` again, which running containers see: names of Services have changed. */
	async rewriteHosts(pod: Pod): Promise<void> {
		await this.#hostsFile(pod, pod.status.podIP ?? '');
	}

	/** At each start, as upstream. */
	async #hostsFile(pod: Pod, podIP: string): Promise<Pick<InputValues, 'hostsFile'>> {
		const { traits, volumes, serviceNames } = this.#options;
		if (traits.hostsFile === undefined) return {};
		const isOfNode = pod.spec.hostNetwork === true || traits.hostsFile === 'node';
		const text = isOfNode
			? nodeHostsFile(pod, await volumes.nodeHosts())
			: managedHostsFile(pod, podIP === '' ? [] : [podIP]);
		const { uid = '', namespace = '' } = pod.metadata;
		// The names lead to addresses of this machine, which another network does not reach.
		const isShown = traits.podNetwork?.kind === 'host' && resolvesServices(pod);
		const services = isShown ? serviceNames(namespace) : [];
		return { hostsFile: await volumes.writeHosts(uid, withServiceNames(text, services)) };
	}

	/** The file is that of the sandbox: a later start of a container finds what an earlier one has made of it. */
	async #resolvConf(pod: Pod): Promise<Pick<InputValues, 'resolvConf'>> {
		const { traits, volumes, clusterDns, record } = this.#options;
		if (traits.resolvConf === undefined) return {};
		const clusterServers = clusterDns();
		if (traits.resolvConf === 'if-other' && resolvesAsNode(pod, clusterServers)) return {};
		const { config, events } = dnsConfigOf(pod, {
			resolvConf: await volumes.nodeResolvConf(),
			clusterServers,
		});
		for (const event of events) record(pod, event);
		return { resolvConf: await volumes.makeResolvConf(pod.metadata.uid ?? '', resolvConfText(config)) };
	}
}
