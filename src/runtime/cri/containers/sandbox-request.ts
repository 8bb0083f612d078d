/** What a runtime of the CRI is asked to create for a Pod, and how the Pod is found in its answers. Pure. */
import type {
	SandboxConfig,
	SandboxMetadata,
	SandboxNamespaces,
} from '../../../api/contract/sandbox-config.ts';
import { attempt } from '../../../base/attempt.ts';
import { readMetadata } from '../../engines/container-facts.ts';
import { FOLDER_LABEL, OWNER_LABEL, type Owner } from '../../engines/owner.ts';
import { metadataOf } from '../../ids.ts';
import { NAMESPACE, PORT_PROTOCOL, PodSandboxConfig } from '../client/cri-messages.ts';
import { decodeMessage, encodeMessage, type Given, type Read } from '../client/message.ts';
import { dnsOf } from './node-dns.ts';
import { seccompOf } from './security-request.ts';

/** The annotation with the metadata of the sandbox. */
const METADATA_KEY = 'stint.io/sandbox';
/**
 * The annotation with all of the sandbox's configuration except its annotations: each container is created with it, also by a
 * later server.
 */
const CONFIG_KEY = 'stint.io/sandbox-config';

/** What the request depends on beside the configuration. */
export interface SandboxFacts {
	readonly owner: Owner;
	/** Whether Pods have a network of their own here. */
	readonly hasPodNetwork: boolean;
	/** The text of the node's resolv.conf. */
	readonly resolvConf: string;
}

/** The configuration of a sandbox as the CRI takes it. */
export function sandboxRequest(config: SandboxConfig, facts: SandboxFacts): Given<typeof PodSandboxConfig> {
	const { podName, podNamespace, podUid, attempt: count, labels, annotations, hostname, ports } = config;
	const { owner, hasPodNetwork, resolvConf } = facts;
	const network = hasPodNetwork ? config.namespaces.network : 'node';
	const hasOwnNetwork = network === 'pod';
	const lists = dnsOf(config.dns, resolvConf);
	const request: Given<typeof PodSandboxConfig> = {
		// The runtime refuses a second sandbox with the same parts, which a server on a copy of the data folder would make.
		metadata: { name: podName, uid: `${podUid}-${owner.id}`, namespace: podNamespace, attempt: count },
		...(hasOwnNetwork && { hostname }),
		// Containers give their logs by absolute paths.
		logDirectory: '/',
		...(lists && { dnsConfig: lists }),
		...(hasOwnNetwork && {
			portMappings: ports.map(({ protocol, containerPort, hostPort, hostIP }) => ({
				protocol: PORT_PROTOCOL[protocol],
				containerPort,
				hostPort,
				hostIp: hostIP,
			})),
		}),
		labels: { ...labels, [OWNER_LABEL]: owner.id, [FOLDER_LABEL]: owner.folder },
		linux: linuxPart(config, network),
	};
	const own = {
		[METADATA_KEY]: JSON.stringify(metadataOf(config)),
		[CONFIG_KEY]: encodeMessage(PodSandboxConfig, request).toString('base64'),
	};
	return { ...request, annotations: { ...annotations, ...own } };
}

function linuxPart(
	{ namespaces, security, sysctls }: SandboxConfig,
	network: SandboxNamespaces['network'],
): Given<typeof PodSandboxConfig>['linux'] {
	const { runAsUser, runAsGroup, supplementalGroups, privileged, seccompProfile } = security;
	return {
		securityContext: {
			namespaceOptions: namespaceOptions({ ...namespaces, network }),
			...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
			// The runtime takes a group only with a user.
			...(runAsUser !== undefined && runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
			supplementalGroups,
			privileged,
			seccomp: seccompOf(seccompProfile, privileged),
		},
		sysctls,
	};
}

/** The namespaces as the CRI takes them. */
export function namespaceOptions({ network, pid, ipc }: Omit<SandboxNamespaces, 'user'>): {
	readonly network: number;
	readonly pid: number;
	readonly ipc: number;
} {
	return { network: NAMESPACE[network], pid: NAMESPACE[pid], ipc: NAMESPACE[ipc] };
}

/** A sandbox in the answer of a runtime. */
export interface FoundSandbox {
	readonly metadata: SandboxMetadata;
	/** Its configuration, with which containers are created in it; undefined if this version cannot read it. */
	readonly config: Read<typeof PodSandboxConfig> | undefined;
}

/** The sandbox with these labels and annotations; undefined if it is not one of this server. */
export function readSandbox(
	{
		labels,
		annotations,
	}: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> },
	owner: Owner,
): FoundSandbox | undefined {
	if (labels[OWNER_LABEL] !== owner.id) return undefined;
	const kept: unknown = attempt(() => JSON.parse(annotations[METADATA_KEY] ?? ''));
	const metadata = readMetadata(kept);
	if (metadata.podUid === '') return undefined;
	const config = attempt(() =>
		decodeMessage(PodSandboxConfig, Buffer.from(annotations[CONFIG_KEY] ?? '', 'base64')),
	);
	return { metadata, config: config?.metadata && { ...config, annotations } };
}
