import { PROBE_DEFAULTS } from '../../api/core/pod/defaults.ts';
import type {
	Container,
	ContainerPort,
	ContainerState,
	ContainerStatus,
	EnvFromSource,
	EnvVar,
	Pod,
	Probe,
	ResourceRequirements,
} from '../../api/core/pod/schema.ts';
import { compareText } from '../../base/compare-text.ts';
import { at, instant, sortedPairs, truth } from './lines.ts';

/** The containers to describe: those of a Pod with their statuses, or of a Pod template, which has none. */
export interface ContainersOf {
	readonly title: string;
	readonly containers: readonly Container[];
	readonly statuses?: readonly ContainerStatus[];
	/** The Pod, for the values of environment variables from its metadata; undefined for a template. */
	readonly pod?: Pod;
}

/**
 * The lines of the containers; those of a template are indented one level further. Upstream:
 * describeContainers. The order of the parts is upstream's.
 */
export function containerLines({ title, containers, statuses = [], pod }: ContainersOf): readonly string[] {
	const indent = pod ? '' : '  ';
	const none = containers.length === 0 ? ' <none>' : '';
	return [
		`${indent}${title}:${none}`,
		...containers.flatMap((container) => {
			const status = statuses.find(({ name }) => name === container.name);
			return [
				at(1, `${pod ? '' : ' '}${container.name}:`),
				...basicLines(container, status),
				...commandLines('Command', container.command),
				...commandLines('Args', container.args),
				...(status ? stateLines(status) : []),
				...resourceLines(container.resources, 2),
				...probeLine('Liveness', container.livenessProbe),
				...probeLine('Readiness', container.readinessProbe),
				...probeLine('Startup', container.startupProbe),
				...envFromLines(container.envFrom),
				...envLines(container, pod),
				...mountLines(container),
			];
		}),
	];
}

/** Upstream: describeContainerBasicInfo. IDs are printed only for containers that have a status. */
function basicLines(container: Container, status: ContainerStatus | undefined): readonly string[] {
	const ports = container.ports ?? [];
	return [
		...(status ? [at(2, `Container ID:\t${status.containerID ?? ''}`)] : []),
		at(2, `Image:\t${container.image ?? ''}`),
		...(status ? [at(2, `Image ID:\t${status.imageID}`)] : []),
		at(
			2,
			portsText('Port', ports, ({ containerPort }) => containerPort),
		),
		at(
			2,
			portsText('Host Port', ports, ({ hostPort = 0 }) => hostPort),
		),
	];
}

/** `Port:` or, for several, `Ports:`. Upstream: describeContainerPorts and describeContainerHostPorts. */
function portsText(
	title: string,
	ports: readonly ContainerPort[],
	numberOf: (port: ContainerPort) => number,
): string {
	const texts = ports.map((port) => {
		const text = `${numberOf(port)}/${port.protocol ?? 'TCP'}`;
		return port.name ? `${text} (${port.name})` : text;
	});
	return `${title}${texts.length > 1 ? 's' : ''}:\t${texts.join(', ') || '<none>'}`;
}

/**
 * One word per line. A word of several lines, such as a script, is split, so that each of its lines is
 * indented.
 */
function commandLines(title: string, words: readonly string[] = []): readonly string[] {
	if (words.length === 0) return [];
	const lines = words.flatMap((word) => word.split('\n'));
	return [at(2, `${title}:`), ...lines.map((line) => at(3, line))];
}

/** Upstream: describeContainerState. The last state is printed only if the container has terminated before. */
function stateLines({ state, lastState, ready, restartCount }: ContainerStatus): readonly string[] {
	return [
		...stateOf('State', state ?? {}),
		...(lastState?.terminated ? stateOf('Last State', lastState) : []),
		at(2, `Ready:\t${truth(ready)}`),
		at(2, `Restart Count:\t${restartCount}`),
	];
}

/** Upstream: describeStatus. A container without any state is waiting, as the zero value of the API type says. */
function stateOf(title: string, { running, waiting, terminated }: ContainerState): readonly string[] {
	if (running) return [at(2, `${title}:\tRunning`), at(3, `Started:\t${instant(running.startedAt)}`)];
	if (!terminated) {
		const reason = waiting?.reason ? [at(3, `Reason:\t${waiting.reason}`)] : [];
		// kubectl omits the message. We print it: often only the message tells the user what to do.
		const message = waiting?.message ? [at(3, `Message:\t${waiting.message}`)] : [];
		return [at(2, `${title}:\tWaiting`), ...reason, ...message];
	}
	const { reason, message, exitCode, signal, startedAt, finishedAt } = terminated;
	return [
		at(2, `${title}:\tTerminated`),
		...(reason ? [at(3, `Reason:\t${reason}`)] : []),
		...(message ? [at(3, `Message:\t${message}`)] : []),
		at(3, `Exit Code:\t${exitCode}`),
		...(signal ? [at(3, `Signal:\t${signal}`)] : []),
		at(3, `Started:\t${instant(startedAt)}`),
		at(3, `Finished:\t${instant(finishedAt)}`),
	];
}

/** The lines of the resource limits and requests. */
export function resourceLines(resources: ResourceRequirements | undefined, level: number): readonly string[] {
	return (
		[
			['Limits', sortedPairs(resources?.limits)],
			['Requests', sortedPairs(resources?.requests)],
		] as const
	).flatMap(([title, pairs]) =>
		pairs.length === 0
			? []
			: [at(level, `${title}:`), ...pairs.map(([name, amount]) => at(level + 1, `${name}:\t${amount}`))],
	);
}

/** Upstream: DescribeProbe. Unset numbers are printed as the API's defaults. */
function probeLine(title: string, probe: Probe | undefined): readonly string[] {
	if (!probe) return [];
	const { exec, httpGet, tcpSocket, grpc } = probe;
	const { initialDelaySeconds = 0 } = probe;
	const { timeoutSeconds, periodSeconds, successThreshold, failureThreshold } = {
		...PROBE_DEFAULTS,
		...probe,
	};
	// Go's %v of durations and numbers, with a sign that marks the two counters.
	const figures = `delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
	const how = exec
		? `exec [${(exec.command ?? []).join(' ')}]`
		: httpGet
			? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? ''}`
			: tcpSocket
				? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
				: grpc
					? `grpc <pod>:${grpc.port} ${grpc.service ?? ''}`
					: 'unknown';
	return [at(2, `${title}:\t${how} ${figures}`)];
}

/** Upstream: describeContainerEnvFrom. Whether a source exists is not checked: the Pod's events say it. */
function envFromLines(sources: readonly EnvFromSource[] = []): readonly string[] {
	if (sources.length === 0) return [];
	const lines = sources.map(({ prefix, configMapRef, secretRef }) => {
		const kind = configMapRef ? 'ConfigMap' : 'Secret';
		const { name = '', optional = false } = configMapRef ?? secretRef ?? {};
		return at(3, `${name}\t${kind}${prefix ? ` with prefix '${prefix}'` : ''}\tOptional: ${optional}`);
	});
	return [at(2, 'Environment Variables from:'), ...lines];
}

/** Upstream: describeContainerEnvVars. */
function envLines({ env = [] }: Container, pod: Pod | undefined): readonly string[] {
	const none = env.length === 0 ? '\t<none>' : '';
	return [at(2, `Environment:${none}`), ...env.flatMap((variable) => variableLines(variable, pod))];
}

/**
 * A value of several lines continues in the column of values. References are named, not resolved: the value of a Secret must
 * not reach the terminal.
 */
function variableLines({ name, value = '', valueFrom }: EnvVar, pod: Pod | undefined): readonly string[] {
	const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom ?? {};
	if (fieldRef) {
		const { apiVersion = 'v1', fieldPath } = fieldRef;
		return [at(3, `${name}:\t${metadataField(pod, fieldPath)} (${apiVersion}:${fieldPath})`)];
	}
	if (resourceFieldRef) return [at(3, `${name}:\t (${resourceFieldRef.resource})`)];
	if (secretKeyRef) {
		const { key, name: secret = '', optional = false } = secretKeyRef;
		return [at(3, `${name}:\t<set to the key '${key}' in secret '${secret}'>\tOptional: ${optional}`)];
	}
	if (configMapKeyRef) {
		const { key, name: map = '', optional = false } = configMapKeyRef;
		return [at(3, `${name}:\t<set to the key '${key}' of config map '${map}'>\tOptional: ${optional}`)];
	}
	if (valueFrom) return [];
	const [first = '', ...rest] = value.split('\n');
	return [at(3, `${name}:\t${first}`), ...rest.map((line) => at(3, `\t${line}`))];
}

/** The value of a field path of the downward API. As in kubectl, only fields of the metadata have one. */
function metadataField(pod: Pod | undefined, path: string): string {
	const { name, namespace, uid, labels, annotations } = pod?.metadata ?? {};
	const key = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
	if (key) return (key[1] === 'labels' ? labels : annotations)?.[key[2] ?? ''] ?? '';
	const fields: Readonly<Record<string, string | undefined>> = {
		'metadata.name': name,
		'metadata.namespace': namespace,
		'metadata.uid': uid,
	};
	return fields[path] ?? '';
}

/** The mounts, sorted by path, and the block devices. Upstream: describeContainerVolumes. */
function mountLines({ volumeMounts = [], volumeDevices = [] }: Container): readonly string[] {
	const mounts = volumeMounts.toSorted((a, b) => compareText(a.mountPath, b.mountPath));
	return [
		at(2, `Mounts:${mounts.length === 0 ? '\t<none>' : ''}`),
		...mounts.map(({ mountPath, name, readOnly, subPath }) => {
			const flags = `${readOnly ? 'ro' : 'rw'}${subPath ? `,path="${subPath}"` : ''}`;
			return at(3, `${mountPath} from ${name} (${flags})`);
		}),
		...(volumeDevices.length > 0 ? [at(2, 'Devices:')] : []),
		...volumeDevices.map(({ devicePath, name }) => at(3, `${devicePath} from ${name}`)),
	];
}
