import { STOP_SIGNAL_OFF } from '../../../api/core/pod/disabled-fields.ts';
import type { Container, EnvVar } from '../../../api/core/pod/schema.ts';
import type { FieldRule } from './field-rule.ts';

const BY_AGENT = 'The node agent does it.';
const NO_PROBES = 'containers are not probed yet';
const NO_HOOKS = 'hooks are not run yet';
const NO_CONFIG = 'ConfigMaps and Secrets are not served yet, so the one that is named cannot exist';
const IN_ENV = 'give the variables in env, with their values';

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

/** The rows for the fields of v1.Container, its security context excepted. */
export const CONTAINER_RULES: readonly FieldRule[] = [
	containerRule('envFrom', {
		effect: 'held',
		only: 'not optional',
		because: NO_CONFIG,
		instead: IN_ENV,
		when: ({ container }) => missingSource(container) !== undefined,
		exactly: ({ container }) => `${missingSource(container)} not found`,
		byStint: true,
	}),
	harmless('envFrom', 'An optional source that does not exist gives no variables.'),
	containerRule('env', {
		effect: 'held',
		only: 'from a ConfigMap or Secret that is not optional',
		because: NO_CONFIG,
		instead: IN_ENV,
		when: ({ container }) => missingValue(container) !== undefined,
		exactly: ({ container }) => `${missingValue(container)} not found`,
		byStint: true,
	}),
	containerRule('env', {
		effect: 'held',
		only: 'from a file',
		because: 'a variable from a file needs a volume, and volumes are not mounted yet',
		instead: IN_ENV,
		when: ({ container }) => container.env?.some(({ valueFrom }) => valueFrom?.fileKeyRef) ?? false,
	}),
	honoured('env'),
	held('livenessProbe', NO_PROBES, 'remove the probe; activeDeadlineSeconds ends a Job that hangs'),
	held('readinessProbe', NO_PROBES, 'remove the probe'),
	held('startupProbe', NO_PROBES, 'remove the probe'),
	held('lifecycle.postStart', NO_HOOKS, 'do it at the start of the command'),
	held('lifecycle.preStop', NO_HOOKS, 'do it on SIGTERM'),
	containerRule('lifecycle.stopSignal', {
		effect: 'dropped',
		...STOP_SIGNAL_OFF,
	}),
	held('stdin', 'standard input of a container cannot be written to yet', 'read from a file'),
	harmless('stdinOnce', 'It says something about stdin only.'),
	held('tty', 'containers have no terminal yet'),
	containerRule('ports', {
		effect: 'held',
		only: 'with a `hostIP`',
		because: 'the address that a process listens on cannot be restricted',
		instead: 'remove hostIP, and have the program listen on that address',
		when: ({ container }) =>
			container.ports?.some(({ hostPort, hostIP = '' }) => hostPort && !EVERYWHERE.has(hostIP)) ?? false,
	}),
	containerRule('ports', {
		effect: 'warned',
		only: 'with a `hostPort` that is not the `containerPort`',
		because: 'a process listens on the ports of this machine, and nothing forwards another hostPort to it',
		instead: 'use the containerPort',
		when: ({ container }) =>
			container.ports?.some(({ hostPort, containerPort }) => hostPort && hostPort !== containerPort) ?? false,
	}),
	harmless('ports', 'A process listens on the ports of this machine.'),
	containerRule('resources.limits', {
		effect: 'warned',
		only: 'on `cpu`, `memory`, `ephemeral-storage`',
		because: 'limits do not confine processes of this machine',
		instead: 'remove the limits, or limit stint itself',
		when: ({ container }) =>
			CONFINED.some((resource) => container.resources?.limits?.[resource] !== undefined),
	}),
	honoured('resources.limits', 'The scheduler counts extended resources.'),
	honoured('resources.requests', 'The scheduler does it.'),
	containerRule('resources.claims', {
		effect: 'unscheduled',
		because: 'ResourceClaims are not served yet, so the claim cannot exist',
		instead: 'remove the claim',
		byStint: true,
	}),
	containerRule('terminationMessagePath', {
		effect: 'held',
		only: 'that the command names, or another than the usual',
		because: "the file would be this machine's own, shared by all Pods",
		instead: 'write the message to the log, and set terminationMessagePolicy: FallbackToLogsOnError',
		when: ({ container }) => writesMessage(container),
	}),
	harmless('terminationMessagePath', 'The usual path, which the command does not name.'),
	honoured('terminationMessagePolicy', 'FallbackToLogsOnError takes the message from the log.'),
	honoured('name'),
	honoured('image'),
	honoured('imagePullPolicy'),
	honoured('command'),
	honoured('args'),
	honoured('workingDir'),
	honoured('restartPolicy'),
	honoured('restartPolicyRules'),
	harmless('volumeMounts', 'The volume decides: see spec.volumes.'),
	harmless('volumeDevices', 'The volume decides: see spec.volumes.'),
	harmless(
		'resizePolicy',
		'Containers cannot be resized yet, and the API server offers no way to ask for it.',
	),
];

/** The addresses that mean all of a machine's. */
const EVERYWHERE: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** What a limit would confine a process to. Others, such as those on devices, are the scheduler's. */
const CONFINED = ['cpu', 'memory', 'ephemeral-storage'] as const;

/** The first object that a container takes all its variables from and that must exist. */
function missingSource({ envFrom = [] }: Container): string | undefined {
	for (const { configMapRef, secretRef } of envFrom) {
		if (configMapRef && !configMapRef.optional) return `configmap "${configMapRef.name ?? ''}"`;
		if (secretRef && !secretRef.optional) return `secret "${secretRef.name ?? ''}"`;
	}
	return undefined;
}

/** The first object that a variable is taken from and that must exist. */
function missingValue({ env = [] }: Container): string | undefined {
	return env.map(objectOf).find((text) => text !== undefined);
}

function objectOf({ valueFrom: { configMapKeyRef, secretKeyRef } = {} }: EnvVar): string | undefined {
	if (configMapKeyRef && !configMapKeyRef.optional) return `configmap "${configMapKeyRef.name ?? ''}"`;
	if (secretKeyRef && !secretKeyRef.optional) return `secret "${secretKeyRef.name ?? ''}"`;
	return undefined;
}

/** The default of terminationMessagePath. */
const USUAL_MESSAGE_PATH = '/dev/termination-log';

/**
 * Whether the container is meant to write a termination message to a file: it names a path of its own, or its
 * command or variables mention the path. Every container has the usual path by default, so that alone says nothing.
 */
function writesMessage({
	terminationMessagePath: path,
	command = [],
	args = [],
	env = [],
}: Container): boolean {
	if (!path) return false;
	if (path !== USUAL_MESSAGE_PATH) return true;
	return [...command, ...args, ...env.map(({ value = '' }) => value)].some((text) => text.includes(path));
}
