import type {
	Container,
	ContainerPort,
	EnvVar,
	Pod,
	PodSpec,
	PodTemplateSpec,
	Probe,
	Volume,
} from './schema.ts';

/**
 * What upstream fills in where a Pod leaves it open. Parts that need nothing are returned as they came,
 * so that a second pass over a defaulted object costs a look and shares everything.
 */

/** Defaults of a Pod; unlike a template it also gets requests from limits and enableServiceLinks. */
export function defaultPod(pod: Pod): Pod {
	let spec = defaultPodSpec(pod.spec);
	if (spec.enableServiceLinks === undefined) spec = { ...spec, enableServiceLinks: true };
	const containers = mapShared(spec.containers, requestsFromLimits);
	if (containers !== spec.containers) spec = { ...spec, containers };
	if (spec.initContainers) {
		const initContainers = mapShared(spec.initContainers, requestsFromLimits);
		if (initContainers !== spec.initContainers) spec = { ...spec, initContainers };
	}
	return spec === pod.spec ? pod : { ...pod, spec };
}

/** Defaults of the template that Pods are made from. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
	const spec = defaultPodSpec(template.spec);
	return spec === template.spec ? template : { ...template, spec };
}

function defaultPodSpec(given: PodSpec): PodSpec {
	const spec = withDefaults(given, {
		restartPolicy: 'Always',
		terminationGracePeriodSeconds: 30,
		dnsPolicy: 'ClusterFirst',
		securityContext: {},
		schedulerName: 'default-scheduler',
		...(given.serviceAccountName !== undefined && { serviceAccount: given.serviceAccountName }),
		...(given.serviceAccount !== undefined && { serviceAccountName: given.serviceAccount }),
	});
	const host = spec.hostNetwork === true;
	const each = (container: Container): Container => defaultContainer(container, host);
	const containers = mapShared(spec.containers, each);
	const initContainers = spec.initContainers && mapShared(spec.initContainers, each);
	const volumes = spec.volumes && mapShared(spec.volumes, defaultVolume);
	if (containers === spec.containers && initContainers === spec.initContainers && volumes === spec.volumes) {
		return spec;
	}
	return { ...spec, containers, ...(initContainers && { initContainers }), ...(volumes && { volumes }) };
}

function defaultContainer(given: Container, hostNetwork: boolean): Container {
	const container = withDefaults(given, {
		terminationMessagePath: '/dev/termination-log',
		terminationMessagePolicy: 'File',
		imagePullPolicy: pullPolicyOf(given.image ?? ''),
		resources: {},
	});
	const changes: { -readonly [K in keyof Container]?: Container[K] } = {};
	const { ports, env, livenessProbe, readinessProbe, startupProbe } = container;
	if (ports) changes.ports = mapShared(ports, (port) => defaultPort(port, hostNetwork));
	if (env) changes.env = mapShared(env, defaultEnvVar);
	if (livenessProbe) changes.livenessProbe = defaultProbe(livenessProbe);
	if (readinessProbe) changes.readinessProbe = defaultProbe(readinessProbe);
	if (startupProbe) changes.startupProbe = defaultProbe(startupProbe);
	return replaced(container, changes);
}

function requestsFromLimits(container: Container): Container {
	const { limits, requests = {} } = container.resources ?? {};
	const missing = Object.keys(limits ?? {}).filter((resource) => requests[resource] === undefined);
	if (missing.length === 0) return container;
	return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
}

function defaultPort(port: ContainerPort, hostNetwork: boolean): ContainerPort {
	return withDefaults(port, { protocol: 'TCP', ...(hostNetwork && { hostPort: port.containerPort }) });
}

function defaultEnvVar(variable: EnvVar): EnvVar {
	const { valueFrom } = variable;
	if (valueFrom?.fieldRef) {
		const fieldRef = withDefaults(valueFrom.fieldRef, { apiVersion: 'v1' });
		return fieldRef === valueFrom.fieldRef
			? variable
			: { ...variable, valueFrom: { ...valueFrom, fieldRef } };
	}
	if (valueFrom?.resourceFieldRef) {
		const resourceFieldRef = withDefaults(valueFrom.resourceFieldRef, { divisor: '0' });
		if (resourceFieldRef === valueFrom.resourceFieldRef) return variable;
		return { ...variable, valueFrom: { ...valueFrom, resourceFieldRef } };
	}
	return variable;
}

function defaultProbe(given: Probe): Probe {
	const probe = withDefaults(given, {
		timeoutSeconds: 1,
		periodSeconds: 10,
		successThreshold: 1,
		failureThreshold: 3,
	});
	if (!probe.httpGet) return probe;
	const httpGet = withDefaults(probe.httpGet, { path: '/', scheme: 'HTTP' });
	return httpGet === probe.httpGet ? probe : { ...probe, httpGet };
}

const DEFAULT_FILE_MODE = 0o644;

function defaultVolume(volume: Volume): Volume {
	const mode = { defaultMode: DEFAULT_FILE_MODE };
	const { configMap, secret, downwardAPI, projected, hostPath } = volume;
	const changes: { -readonly [K in keyof Volume]?: Volume[K] } = {};
	if (configMap) changes.configMap = withDefaults(configMap, mode);
	if (secret) changes.secret = withDefaults(secret, mode);
	if (downwardAPI) changes.downwardAPI = withDefaults(downwardAPI, mode);
	if (projected) changes.projected = withDefaults(projected, mode);
	if (hostPath) changes.hostPath = withDefaults(hostPath, { type: '' });
	// A volume that does not say what it is becomes an empty folder.
	if (Object.keys(volume).length === 1) changes.emptyDir = {};
	return replaced(volume, changes);
}

/** Always for what may have changed behind its name: no tag, or latest. */
function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
	if (image.includes('@')) return 'IfNotPresent';
	const tag = image.slice(image.lastIndexOf('/') + 1).split(':')[1];
	return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** `object` with the values of `defaults` where it has none; the same object if it lacks nothing. */
function withDefaults<T extends object>(object: T, defaults: Partial<T>): T {
	let lacking = false;
	for (const key in defaults) {
		if (object[key] === undefined && defaults[key] !== undefined) lacking = true;
	}
	return lacking ? { ...defaults, ...object } : object;
}

/** `object` with `changes`; the same object if they change nothing. */
function replaced<T extends object>(object: T, changes: Partial<T>): T {
	let changed = false;
	for (const key in changes) if (object[key] !== changes[key]) changed = true;
	return changed ? { ...object, ...changes } : object;
}

/** As map, but returns `items` itself where nothing changed. */
function mapShared<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
	let changed: T[] | undefined;
	for (const [index, item] of items.entries()) {
		const next = change(item);
		if (next === item) continue;
		changed ??= [...items];
		changed[index] = next;
	}
	return changed ?? items;
}
