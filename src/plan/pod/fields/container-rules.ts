import { hostPortAddresses, isEveryAddress } from '../../../api/contract/host-port-addresses.ts';
import type { Container } from '../../../api/core/pod/schema.ts';
import { isRecord } from '../../../base/json/json.ts';
import type { FieldRule, FieldUse } from './field-rule.ts';

const BY_AGENT = 'The node agent implements it.';
const NO_EXEC = 'no command can be run in a container yet';

function containerRule(name: string, rule: Omit<FieldRule, 'field'>): FieldRule {
	return { field: `spec.containers[].${name}`, ...rule };
}

function honoured(name: string, because = BY_AGENT): FieldRule {
	return containerRule(name, { effect: 'honoured', because });
}

function harmless(name: string, because: string): FieldRule {
	return containerRule(name, { effect: 'harmless', because });
}

function held(name: string, because: string, instead = 'remove the field'): FieldRule {
	return containerRule(name, { effect: 'held', because, instead });
}

/**
 * The rows for the fields of v1.Container, except its security context. A field whose absence could make the
 * program act wrongly, such as a variable, a probe or a hook, prevents the start; limits and ports only cause
 * an Event, because the program does the same work without them.
 */
export const CONTAINER_RULES: readonly FieldRule[] = [
	honoured('envFrom'),
	containerRule('env', {
		effect: 'held',
		only: 'from a file',
		because: 'a variable from a file needs a volume, and volumes are not mounted',
		instead: 'set the variable in env with a literal value',
		when: ({ container }) => container.env?.some(({ valueFrom }) => valueFrom?.fileKeyRef) ?? false,
		comesWith: 'spec.volumes',
	}),
	honoured('env'),
	...execRules(
		'livenessProbe',
		'use httpGet, tcpSocket or grpc; activeDeadlineSeconds ends a Job that hangs',
	),
	...execRules('readinessProbe', 'use httpGet, tcpSocket or grpc'),
	...execRules('startupProbe', 'use httpGet, tcpSocket or grpc'),
	...execRules('lifecycle.postStart', 'do the work at the start of the command'),
	...execRules('lifecycle.preStop', 'handle SIGTERM in the program'),
	held('stdin', 'containers have no standard input yet', 'read from a file'),
	harmless('stdinOnce', 'It affects only stdin.'),
	held('tty', 'containers have no terminal yet'),
	containerRule('ports', {
		effect: 'warned',
		only: 'with a `hostIP` that other machines reach, or with a `hostPort` for SCTP, if Pods have networks of their own',
		because:
			'only TCP and UDP are forwarded to Pods, and only from the loopback address of this machine and that of the node',
		instead: 'use TCP or UDP without hostIP, or hostNetwork',
		when: (use) => hasOwnNetwork(use) && hostPortsOf(use).some((port) => !isForwarded(port, use)),
		byStint: true,
	}),
	containerRule('ports', {
		effect: 'honoured',
		only: 'with a `hostPort`, if Pods have networks of their own',
		because:
			'A port of the loopback address of this machine, and of the address of the node, is forwarded to the Pod.',
		when: (use) => hasOwnNetwork(use) && hostPortsOf(use).length > 0,
	}),
	containerRule('ports', {
		effect: 'held',
		only: 'with a `hostIP`',
		because: 'the address that a process listens on cannot be restricted',
		instead: 'remove hostIP, and have the program listen on that address',
		when: (use) => hostPortsOf(use).some(({ hostIP = '' }) => !isEveryAddress(hostIP)),
	}),
	containerRule('ports', {
		effect: 'warned',
		only: 'with a `hostPort` other than the `containerPort`',
		because: 'a process listens on ports of this machine, and no other hostPort is forwarded to it',
		instead: 'use the containerPort',
		when: (use) => hostPortsOf(use).some(({ hostPort, containerPort }) => hostPort !== containerPort),
	}),
	harmless('ports', 'A process listens on the ports that it chooses.'),
	containerRule('resources.limits', {
		effect: 'warned',
		only: 'on `cpu`, `memory`, where stint may not make control groups',
		because: 'stint may not make the control groups that enforce limits',
		instead: 'run stint as root or where systemd delegates control groups, or remove the limits',
		when: ({ container }) =>
			LIMITED.some((resource) => container.resources?.limits?.[resource] !== undefined),
	}),
	honoured(
		'resources.limits',
		'The scheduler counts extended resources, and the node agent evicts Pods beyond `ephemeral-storage`.',
	),
	honoured('resources.requests', 'The scheduler implements it.'),
	containerRule('resources.claims', {
		effect: 'unscheduled',
		because: 'ResourceClaims are not served yet, so the claim does not exist',
		instead: 'remove the claim',
		byStint: true,
	}),
	containerRule('terminationMessagePath', {
		effect: 'held',
		only: 'that the command names, or other than the default',
		because: 'the file would be a file of this machine that all Pods share',
		instead: 'write the message to the log, and set terminationMessagePolicy: FallbackToLogsOnError',
		when: ({ container }) => writesMessage(container),
	}),
	honoured(
		'terminationMessagePath',
		'The message is read from the file, if the runtime can mount it; else it is the default path, which the command does not name.',
	),
	honoured('terminationMessagePolicy', 'FallbackToLogsOnError takes the message from the log.'),
	honoured('name'),
	honoured('image'),
	honoured('imagePullPolicy'),
	honoured('command'),
	honoured('args'),
	honoured('workingDir'),
	honoured('restartPolicy'),
	honoured('restartPolicyRules'),
	containerRule('volumeMounts', {
		effect: 'held',
		only: 'with the mountPropagation `Bidirectional`',
		because: 'mounts that a container makes do not reach this machine',
		instead: 'use HostToContainer, or make the mounts on this machine',
		when: ({ container }) =>
			container.volumeMounts?.some(({ mountPropagation }) => mountPropagation === 'Bidirectional') ?? false,
	}),
	harmless(
		'volumeMounts',
		"The effect depends on the volume: see spec.volumes. One that would hide stint's data folder needs a container with a workingDir.",
	),
	harmless('volumeDevices', 'The effect depends on the volume: see spec.volumes.'),
	honoured('resizePolicy'),
];

/** The rows of a probe or hook: one that runs a command needs a runtime that can do that. */
function execRules(name: string, instead: string): readonly FieldRule[] {
	return [
		containerRule(name, {
			effect: 'held',
			only: 'with `exec`, on a runtime that cannot run commands in containers',
			because: NO_EXEC,
			instead,
			when: ({ value }) => isRecord(value) && Object.hasOwn(value, 'exec'),
			byStint: true,
			unless: 'canExec',
		}),
		honoured(name),
	];
}

type Ports = NonNullable<FieldUse['container']['ports']>;

/** Whether the Pod has a network of its own on this runtime. */
function hasOwnNetwork({ pod, traits }: FieldUse): boolean {
	return traits.podNetwork?.kind === 'pod' && !pod.spec.hostNetwork;
}

function hostPortsOf({ container }: FieldUse): Ports {
	return (container.ports ?? []).filter(({ hostPort }) => hostPort);
}

function isForwarded(
	{ hostIP = '', protocol = 'TCP' }: Ports[number],
	{ traits: { podNetwork } }: FieldUse,
): boolean {
	const ofNode = podNetwork?.kind === 'pod' ? podNetwork.nodeAddress : undefined;
	return hostPortAddresses({ hostIP, protocol }, ofNode).length > 0;
}

/**
 * The resources whose limits need control groups. The node agent enforces those on `ephemeral-storage` with any runtime;
 * the scheduler counts others, such as devices.
 */
const LIMITED = ['cpu', 'memory'] as const;

/** The default of terminationMessagePath. */
const DEFAULT_MESSAGE_PATH = '/dev/termination-log';

/**
 * Whether the container most likely writes a termination message to a file: it sets a path, or its command or
 * variables contain the path. Every container has the default path, so the field alone proves nothing.
 */
function writesMessage({
	terminationMessagePath: path,
	command = [],
	args = [],
	env = [],
}: Container): boolean {
	if (!path) return false;
	if (path !== DEFAULT_MESSAGE_PATH) return true;
	return [...command, ...args, ...env.map(({ value = '' }) => value)].some((text) => text.includes(path));
}
