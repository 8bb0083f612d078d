/**
 * What a runtime receives about a sandbox, modelled on the CRI's PodSandboxConfig: everything that the Pod says about
 * what its containers share. plan/pod/config makes it; see container-config.ts for which parts a runtime honours.
 */

import type { SecurityContext } from '../core/pod/schema.ts';
import type { ContainerResources } from './container-config.ts';

/** The Pod that a sandbox is for. The runtime keeps it and returns it with the sandbox. */
export interface SandboxMetadata {
	readonly podUid: string;
	readonly podName: string;
	readonly podNamespace: string;
	readonly hostname: string;
	/** Number of sandboxes created for the Pod before this one. */
	readonly attempt: number;
}

/** The configuration of a sandbox. */
export interface SandboxConfig extends SandboxMetadata {
	/** The Pod's labels, and those by which the kubelet finds the sandbox. */
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly namespaces: SandboxNamespaces;
	readonly dns: SandboxDns;
	/** Additional entries of /etc/hosts. */
	readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
	readonly ports: readonly PortMapping[];
	/** Kernel parameters by name, with dots. */
	readonly sysctls: Readonly<Record<string, string>>;
	readonly security: SandboxSecurity;
	/** What all containers together may use; see the Pod's `resources`. */
	readonly resources: ContainerResources;
}

/** Which namespaces the containers share with each other (`pod`) or with the host (`node`). */
export interface SandboxNamespaces {
	readonly network: 'pod' | 'node';
	readonly ipc: 'pod' | 'node';
	readonly pid: 'container' | 'pod' | 'node';
	readonly user: 'pod' | 'node';
}

/** Name resolution. The lists are added to the node's configuration, or with `none` are the whole configuration. */
export interface SandboxDns {
	readonly base: 'node' | 'none';
	readonly servers: readonly string[];
	readonly searches: readonly string[];
	/** `name:value`, or the name alone. */
	readonly options: readonly string[];
}

/** A port of the node that is forwarded to a port of the sandbox. */
export interface PortMapping {
	readonly protocol: 'TCP' | 'UDP' | 'SCTP';
	readonly containerPort: number;
	readonly hostPort: number;
	/** Empty: all addresses of the node. */
	readonly hostIP: string;
}

/** The security settings of the sandbox itself, from those of the Pod. */
export interface SandboxSecurity {
	readonly runAsUser?: number;
	readonly runAsGroup?: number;
	/** The further groups of the processes, fsGroup included. */
	readonly supplementalGroups: readonly number[];
	/** True if a container is privileged. */
	readonly privileged: boolean;
	readonly seccompProfile: SecurityContext['seccompProfile'];
	readonly seLinuxOptions: SecurityContext['seLinuxOptions'];
}
