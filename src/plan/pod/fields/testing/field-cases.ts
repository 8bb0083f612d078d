import type { RuntimeTraits } from '../../../../api/contract/runtime-traits.ts';
import type { Pod } from '../../../../api/core/pod/schema.ts';
import type { Effect } from '../field-rule.ts';

/** Pods with one field each, for the tests of the table of fields. */

/** The traits of the runtime `process` if stint runs as root. */
export const BARE: RuntimeTraits = {
	honours: new Set(),
	user: { uid: 0, gid: 0, groups: [4] },
	os: 'linux',
	runsHostPrograms: true,
	canExec: false,
	canResize: false,
};
const AS_USER: RuntimeTraits = { ...BARE, user: { uid: 1000, gid: 1000, groups: [27] } };
const HONOURS_SECCOMP = ['spec.', 'spec.containers[].'].map(
	(prefix) => `${prefix}securityContext.seccompProfile`,
);
/** The traits of a runtime that filters system calls, but has no files with profiles. */
const BOXED: RuntimeTraits = { ...BARE, honours: new Set(HONOURS_SECCOMP) };
const MOUNTING: RuntimeTraits = { ...BARE, honours: new Set(['spec.volumes']) };
const COPYING: RuntimeTraits = { ...MOUNTING, volumes: 'copied' };
const NETWORKED: RuntimeTraits = { ...BARE, podNetwork: { kind: 'pod', nodeAddress: '10.96.255.255' } };
const SHARING: RuntimeTraits = { ...BARE, honours: new Set(['spec.shareProcessNamespace']) };
/** The traits of a runtime that honours every field. */
export const EVERYTHING: RuntimeTraits = { ...BARE, honours: 'everything' };

/** A Pod with one container `c` and these fields in its spec and container. */
export function pod(spec: object, container: object = {}, annotations: Record<string, string> = {}): Pod {
	const metadata = { name: 'p', namespace: 'ns', uid: 'u', annotations };
	const containers = [{ name: 'c', image: 'busybox', ...container }];
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata,
		spec: { containers, ...spec },
		status: {},
	} as unknown as Pod;
}

export const container = (fields: object): Pod => pod({}, fields);
export const secured = (securityContext: object): Pod => container({ securityContext });
const podSecured = (securityContext: object): Pod => pod({ securityContext });
const mounted = (volume: object): Pod =>
	pod({ volumes: [{ name: 'v', ...volume }] }, { volumeMounts: [{ name: 'v', mountPath: '/data' }] });

/** A Pod, and the effect that the table gives its field. */
export interface FieldCase {
	readonly field: string;
	readonly effect: Effect;
	readonly pod: Pod;
	readonly traits?: RuntimeTraits;
	/** The whole message, if it is upstream's. */
	readonly text?: string;
}

export const C = 'spec.containers[].';
export const WHO = '(pod: "p_ns(u)", container: c)';
const PROBE = { exec: { command: ['true'] } };

const HTTP2 = { httpGet: { port: 80, protocol: 'HTTP2' } };
const GRPC_TLS = { grpc: { port: 80, mode: 'TLS' } };
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];

const DROPPED_CASES: readonly FieldCase[] = [
	[`${C}lifecycle.stopSignal`, container({ lifecycle: { stopSignal: 'SIGUSR1' } })] as const,
	[`${C}volumeMounts`, container({ volumeMounts: [{ name: 'v', bindMountOptions: ['noexec'] }] })] as const,
	...PROBES.map((name) => [`${C}${name}`, container({ [name]: HTTP2 })] as const),
	...PROBES.map((name) => [`${C}${name}`, container({ [name]: GRPC_TLS })] as const),
	[`${C}lifecycle.postStart`, container({ lifecycle: { postStart: HTTP2 } })] as const,
	[`${C}lifecycle.preStop`, container({ lifecycle: { preStop: HTTP2 } })] as const,
	['spec.volumes', pod({ volumes: [{ name: 'v', emptyDir: { mode: 448 } }] })] as const,
	['spec.volumes', pod({ volumes: [{ name: 'v', secret: { items: [{ key: 'k', user: 7 }] } }] })] as const,
	['spec.evictionResponders', pod({ evictionResponders: [{ name: 'a.io/b', priority: 1 }] })] as const,
	['spec.schedulingGroup', pod({ schedulingGroup: { podGroupName: 'g' } })] as const,
].map(([field, given]) => ({ field, effect: 'dropped', pod: given }));

/** At least one case for every row with a condition, and for every row by which a field has no effect. */
export const CASES: readonly FieldCase[] = [
	{ field: 'spec.runtimeClassName', effect: 'rejected', pod: pod({ runtimeClassName: 'x' }) },
	{
		...{ field: 'spec.os', effect: 'rejected', pod: pod({ os: { name: 'windows' } }) },
		text: "Failed to admit pod as the OS field doesn't match node OS",
	},
	{ field: 'spec.os', effect: 'honoured', pod: pod({ os: { name: 'linux' } }) },
	{ field: 'spec.volumes', effect: 'unmounted', pod: mounted({ nfs: { server: 's', path: '/' } }) },
	{ field: 'spec.volumes', effect: 'unmounted', pod: mounted({ hostPath: { path: '/' } }), traits: COPYING },
	{ field: 'spec.volumes', effect: 'unmounted', pod: mounted({ image: { reference: 'data:1' } }) },
	{ field: 'spec.volumes', effect: 'unmounted', pod: mounted({ emptyDir: {} }) },
	{ field: 'spec.volumes', effect: 'harmless', pod: pod({ volumes: [{ name: 'v', emptyDir: {} }] }) },
	{ field: 'spec.resourceClaims', effect: 'unscheduled', pod: pod({ resourceClaims: [{ name: 'gpu' }] }) },
	{
		field: 'spec.hostAliases',
		effect: 'held',
		pod: pod({ hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }] }),
	},
	{ field: 'spec.dnsPolicy', effect: 'held', pod: pod({ dnsPolicy: 'None' }) },
	{ field: 'spec.dnsPolicy', effect: 'harmless', pod: pod({ dnsPolicy: 'ClusterFirst' }) },
	{ field: 'spec.dnsConfig', effect: 'held', pod: pod({ dnsConfig: { nameservers: ['10.0.0.1'] } }) },
	{ field: 'spec.hostUsers', effect: 'held', pod: pod({ hostUsers: false }) },
	{ field: 'spec.hostUsers', effect: 'harmless', pod: pod({ hostUsers: true }) },
	{ field: 'spec.serviceAccountName', effect: 'warned', pod: pod({ serviceAccountName: 'builder' }) },
	{ field: 'spec.serviceAccountName', effect: 'honoured', pod: pod({ serviceAccountName: 'default' }) },
	{
		...{ field: 'spec.serviceAccountName', effect: 'honoured', traits: MOUNTING },
		pod: pod({ serviceAccountName: 'builder' }),
	},
	{
		...{ field: 'spec.automountServiceAccountToken', effect: 'honoured', traits: MOUNTING },
		pod: pod({ automountServiceAccountToken: true }),
	},
	{ field: 'spec.shareProcessNamespace', effect: 'held', pod: pod({ shareProcessNamespace: true }) },
	{
		...{ field: 'spec.shareProcessNamespace', effect: 'honoured', traits: SHARING },
		pod: pod({ shareProcessNamespace: true }),
	},
	{
		field: 'spec.automountServiceAccountToken',
		effect: 'warned',
		pod: pod({ automountServiceAccountToken: true }),
	},
	{ field: 'spec.subdomain', effect: 'warned', pod: pod({ subdomain: 'db' }) },
	{ field: 'spec.resources', effect: 'warned', pod: pod({ resources: { limits: { cpu: '1' } } }) },
	{ field: 'spec.resources', effect: 'honoured', pod: pod({ resources: { requests: { cpu: '1' } } }) },
	{
		field: `${C}envFrom`,
		effect: 'honoured',
		pod: container({ envFrom: [{ configMapRef: { name: 'x' } }] }),
	},
	{
		...{ field: `${C}env`, effect: 'held' },
		pod: container({
			env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f', key: 'k' } } }],
		}),
	},
	{ field: `${C}env`, effect: 'honoured', pod: container({ env: [{ name: 'A', value: '1' }] }) },
	{ field: `${C}livenessProbe`, effect: 'held', pod: container({ livenessProbe: PROBE }) },
	{ field: `${C}readinessProbe`, effect: 'held', pod: container({ readinessProbe: PROBE }) },
	{ field: `${C}startupProbe`, effect: 'held', pod: container({ startupProbe: PROBE }) },
	{ field: `${C}lifecycle.postStart`, effect: 'held', pod: container({ lifecycle: { postStart: PROBE } }) },
	{
		field: `${C}lifecycle.preStop`,
		effect: 'held',
		pod: container({ lifecycle: { preStop: PROBE } }),
	},
	{
		...{ field: `${C}lifecycle.preStop`, effect: 'honoured' },
		pod: container({ lifecycle: { preStop: { sleep: { seconds: 1 } } } }),
	},
	{
		...{ field: `${C}livenessProbe`, effect: 'honoured', traits: { ...BARE, canExec: true } },
		pod: container({ livenessProbe: PROBE }),
	},
	...DROPPED_CASES,
	{
		...{ field: `${C}volumeMounts`, effect: 'held' },
		// The volume has another row too, which says that a runtime without volumes mounts nothing.
		pod: pod(
			{ volumes: [] },
			{ volumeMounts: [{ name: 'v', mountPath: '/data', mountPropagation: 'Bidirectional' }] },
		),
	},
	{ field: `${C}stdin`, effect: 'held', pod: container({ stdin: true }) },
	{ field: `${C}tty`, effect: 'held', pod: container({ tty: true }) },
	{
		...{ field: `${C}ports`, effect: 'held' },
		pod: container({ ports: [{ containerPort: 80, hostPort: 80, hostIP: '127.0.0.1' }] }),
	},
	{
		field: `${C}ports`,
		effect: 'warned',
		pod: container({ ports: [{ containerPort: 80, hostPort: 8080 }] }),
	},
	{
		...{ field: `${C}ports`, effect: 'honoured', traits: NETWORKED },
		pod: container({ ports: [{ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' }] }),
	},
	{
		...{ field: `${C}ports`, effect: 'honoured', traits: NETWORKED },
		pod: container({
			ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.96.255.255', protocol: 'UDP' }],
		}),
	},
	{
		...{ field: `${C}ports`, effect: 'warned', traits: NETWORKED },
		pod: container({ ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' }] }),
	},
	{
		...{ field: `${C}ports`, effect: 'warned', traits: NETWORKED },
		pod: container({ ports: [{ containerPort: 80, hostPort: 80, protocol: 'SCTP' }] }),
	},
	{
		...{ field: `${C}ports`, effect: 'warned', traits: NETWORKED },
		pod: pod({ hostNetwork: true }, { ports: [{ containerPort: 80, hostPort: 8080 }] }),
	},
	{
		field: `${C}ports`,
		effect: 'harmless',
		pod: container({ ports: [{ containerPort: 80, hostPort: 80 }] }),
	},
	{
		field: `${C}resources.limits`,
		effect: 'warned',
		pod: container({ resources: { limits: { memory: '1Gi' } } }),
	},
	{
		field: `${C}resources.limits`,
		effect: 'honoured',
		pod: container({ resources: { limits: { 'acme.io/x': '1' } } }),
	},
	{
		field: `${C}resources.limits`,
		effect: 'honoured',
		pod: container({ resources: { limits: { 'ephemeral-storage': '1Gi' } } }),
	},
	{
		field: `${C}resources.claims`,
		effect: 'unscheduled',
		pod: container({ resources: { claims: [{ name: 'gpu' }] } }),
	},
	{
		field: `${C}terminationMessagePath`,
		effect: 'held',
		pod: container({ terminationMessagePath: '/tmp/end' }),
	},
	{
		...{ field: `${C}terminationMessagePath`, effect: 'held' },
		pod: container({
			terminationMessagePath: '/dev/termination-log',
			command: ['sh', '-c', 'echo why > /dev/termination-log; exit 4'],
		}),
	},
	{
		...{ field: `${C}terminationMessagePath`, effect: 'honoured' },
		pod: container({ terminationMessagePath: '/dev/termination-log', command: ['true'] }),
	},
	...[secured, podSecured].flatMap((make): readonly FieldCase[] => {
		const field = (name: string): string =>
			make === secured ? `${C}securityContext.${name}` : `spec.securityContext.${name}`;
		const unconfined = { type: 'Unconfined' };
		return [
			{
				...{ field: field('runAsNonRoot'), effect: 'held', pod: make({ runAsNonRoot: true }) },
				text: `container has runAsNonRoot and image will run as root ${WHO}`,
			},
			{
				...{ field: field('runAsNonRoot'), effect: 'held', traits: AS_USER },
				pod: make({ runAsNonRoot: true, runAsUser: 0 }),
				text: `container's runAsUser breaks non-root policy ${WHO}`,
			},
			{
				field: field('runAsNonRoot'),
				effect: 'honoured',
				traits: AS_USER,
				pod: make({ runAsNonRoot: true }),
			},
			{ field: field('runAsUser'), effect: 'held', pod: make({ runAsUser: 65534 }) },
			{ field: field('runAsUser'), effect: 'held', traits: AS_USER, pod: make({ runAsUser: 0 }) },
			{ field: field('runAsUser'), effect: 'honoured', pod: make({ runAsUser: 0 }) },
			{ field: field('runAsGroup'), effect: 'held', pod: make({ runAsGroup: 3000 }) },
			{ field: field('runAsGroup'), effect: 'honoured', traits: AS_USER, pod: make({ runAsGroup: 1000 }) },
			{
				field: field('seccompProfile'),
				effect: 'held',
				pod: make({ seccompProfile: { type: 'RuntimeDefault' } }),
			},
			{
				...{ field: field('seccompProfile'), effect: 'held', traits: BOXED },
				pod: make({ seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } }),
			},
			{ field: field('seccompProfile'), effect: 'harmless', pod: make({ seccompProfile: unconfined }) },
			{
				field: field('appArmorProfile'),
				effect: 'held',
				pod: make({ appArmorProfile: { type: 'RuntimeDefault' } }),
			},
			{ field: field('appArmorProfile'), effect: 'harmless', pod: make({ appArmorProfile: unconfined }) },
			{ field: field('seLinuxOptions'), effect: 'held', pod: make({ seLinuxOptions: { level: 's0' } }) },
			{
				...{ field: field('seLinuxOptions'), effect: 'harmless' },
				traits: { ...BARE, honours: new Set([field('seLinuxOptions')]) },
				pod: make({ seLinuxOptions: { level: 's0' } }),
			},
			{
				field: field('windowsOptions'),
				effect: 'harmless',
				pod: make({ windowsOptions: { runAsUserName: 'x' } }),
			},
		];
	}),
	{
		...{ field: 'metadata.annotations', effect: 'held' },
		pod: pod({}, {}, { 'container.apparmor.security.beta.kubernetes.io/c': 'runtime/default' }),
	},
	{
		field: 'spec.securityContext.supplementalGroups',
		effect: 'held',
		pod: podSecured({ supplementalGroups: [4, 5] }),
	},
	{
		field: 'spec.securityContext.supplementalGroups',
		effect: 'honoured',
		pod: podSecured({ supplementalGroups: [0, 4] }),
	},
	{
		...{ field: 'spec.securityContext.supplementalGroupsPolicy', effect: 'held' },
		pod: podSecured({ supplementalGroupsPolicy: 'Strict' }),
	},
	{
		...{ field: 'spec.securityContext.supplementalGroupsPolicy', effect: 'harmless' },
		pod: podSecured({ supplementalGroupsPolicy: 'Merge' }),
	},
	{ field: 'spec.securityContext.fsGroup', effect: 'held', pod: podSecured({ fsGroup: 2000 }) },
	{ field: 'spec.securityContext.fsGroup', effect: 'honoured', pod: podSecured({ fsGroup: 4 }) },
	{
		...{ field: 'spec.securityContext.sysctls', effect: 'rejected' },
		pod: podSecured({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
		text: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
	},
	{
		...{ field: 'spec.securityContext.sysctls', effect: 'rejected' },
		pod: pod({
			hostNetwork: true,
			securityContext: { sysctls: [{ name: 'net/ipv4/tcp_rmem', value: '1' }] },
		}),
		text: 'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host net enabled',
	},
	{
		...{ field: 'spec.securityContext.sysctls', effect: 'held' },
		pod: podSecured({ sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '1' }] }),
	},
	{ field: `${C}securityContext.privileged`, effect: 'warned', pod: secured({ privileged: true }) },
	{
		...{ field: `${C}securityContext.allowPrivilegeEscalation`, effect: 'held' },
		pod: secured({ allowPrivilegeEscalation: false }),
	},
	{
		...{ field: `${C}securityContext.allowPrivilegeEscalation`, effect: 'harmless' },
		pod: secured({ allowPrivilegeEscalation: true }),
	},
	{
		field: `${C}securityContext.capabilities.drop`,
		effect: 'held',
		pod: secured({ capabilities: { drop: ['ALL'] } }),
	},
	{
		field: `${C}securityContext.capabilities.add`,
		effect: 'warned',
		pod: secured({ capabilities: { add: ['NET_ADMIN'] } }),
	},
	{
		field: `${C}securityContext.readOnlyRootFilesystem`,
		effect: 'held',
		pod: secured({ readOnlyRootFilesystem: true }),
	},
	{ field: `${C}securityContext.procMount`, effect: 'held', pod: secured({ procMount: 'Unmasked' }) },
	{ field: `${C}securityContext.procMount`, effect: 'harmless', pod: secured({ procMount: 'Default' }) },
];
