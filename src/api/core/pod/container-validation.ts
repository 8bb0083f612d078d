import type { FieldError, FieldPath } from '../../meta/field.ts';
import {
	duplicate,
	forbidden,
	invalid,
	nonNegative,
	notFound,
	notSupported,
	required,
} from '../../meta/field-errors.ts';
import { dns1123Label, envVarName, inRange, portName, qualifiedName } from '../../meta/names.ts';
import { compareQuantities } from '../../meta/quantity.ts';
import type {
	Container,
	ContainerPort,
	EnvVar,
	EnvVarSource,
	Probe,
	ResourceRequirements,
	VolumeMount,
} from './schema.ts';

/**
 * What is wrong with the containers of a Pod: upstream's rules for what the author of a Job can get
 * wrong, with upstream's texts.
 */

/** Validates all containers of one list; `seen` holds the names that the Pod's lists have in common. */
export function validateContainers(
	containers: readonly Container[],
	surroundings: ContainerSurroundings,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	for (const [index, container] of containers.entries()) {
		const at = path.index(index);
		errors.push(...validateContainer(container, surroundings, at));
		if (surroundings.seen.has(container.name)) errors.push(duplicate(at.child('name'), container.name));
		surroundings.seen.add(container.name);
	}
	return errors;
}

/** What the containers of a Pod are checked against. */
export interface ContainerSurroundings {
	readonly volumes: ReadonlySet<string>;
	readonly seen: Set<string>;
	readonly init: boolean;
}

function validateContainer(
	container: Container,
	around: ContainerSurroundings,
	path: FieldPath,
): readonly FieldError[] {
	const { name, image = '', imagePullPolicy = '', terminationMessagePolicy = '' } = container;
	return [
		...validateName(name, path.child('name')),
		...validateImage(image, path.child('image')),
		...oneOfValues(imagePullPolicy, ['Always', 'IfNotPresent', 'Never'], path.child('imagePullPolicy')),
		...oneOfValues(
			terminationMessagePolicy,
			['File', 'FallbackToLogsOnError'],
			path.child('terminationMessagePolicy'),
			"must be 'File' or 'FallbackToLogsOnError'",
		),
		...validatePorts(container.ports ?? [], path.child('ports')),
		...validateEnv(container.env ?? [], path.child('env')),
		...validateResources(container.resources ?? {}, path.child('resources')),
		...validateMounts(container.volumeMounts ?? [], around.volumes, path.child('volumeMounts')),
		...validateProbe(container.livenessProbe, path.child('livenessProbe'), true),
		...validateProbe(container.readinessProbe, path.child('readinessProbe'), false),
		...validateProbe(container.startupProbe, path.child('startupProbe'), true),
		...(around.init ? validateInit(container, path) : []),
	];
}

function validateName(name: string, path: FieldPath): readonly FieldError[] {
	if (name === '') return [required(path)];
	return dns1123Label(name).map((text) => invalid(path, name, text));
}

function validateImage(image: string, path: FieldPath): readonly FieldError[] {
	if (image === '') return [required(path)];
	if (image !== image.trim()) return [invalid(path, image, 'must not have leading or trailing whitespace')];
	return [];
}

/** `value` must be one of `values`; `detail` says so where it is missing altogether. */
export function oneOfValues(
	value: string,
	values: readonly string[],
	path: FieldPath,
	detail = '',
): readonly FieldError[] {
	if (value === '') return [required(path, detail)];
	return values.includes(value) ? [] : [notSupported(path, value, values)];
}

const WITHOUT_ALWAYS = 'may not be set for init containers without restartPolicy=Always';

function validateInit(container: Container, path: FieldPath): readonly FieldError[] {
	const { restartPolicy } = container;
	if (restartPolicy !== undefined && !['Always', 'OnFailure', 'Never'].includes(restartPolicy)) {
		return [notSupported(path.child('restartPolicy'), restartPolicy, ['Always'])];
	}
	if (restartPolicy === 'Always') return [];
	const fields = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;
	return fields
		.filter((field) => container[field] !== undefined)
		.map((field) => forbidden(path.child(field), WITHOUT_ALWAYS));
}

function validatePorts(ports: readonly ContainerPort[], path: FieldPath): readonly FieldError[] {
	const names = new Set<string>();
	return ports.flatMap((port, index) => {
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (port.name) {
			errors.push(...portName(port.name).map((text) => invalid(at.child('name'), port.name, text)));
			if (names.has(port.name)) errors.push(duplicate(at.child('name'), port.name));
			names.add(port.name);
		}
		if (port.containerPort === 0) errors.push(required(at.child('containerPort')));
		else errors.push(...portInRange(port.containerPort, at.child('containerPort')));
		if (port.hostPort) errors.push(...portInRange(port.hostPort, at.child('hostPort')));
		errors.push(...oneOfValues(port.protocol ?? '', ['SCTP', 'TCP', 'UDP'], at.child('protocol')));
		return errors;
	});
}

function portInRange(port: number, path: FieldPath): readonly FieldError[] {
	return inRange(port, 1, 65_535).map((text) => invalid(path, port, text));
}

function validateEnv(env: readonly EnvVar[], path: FieldPath): readonly FieldError[] {
	return env.flatMap((variable, index) => {
		const at = path.index(index);
		const { name, value = '', valueFrom } = variable;
		const errors: FieldError[] = [];
		if (name === '') errors.push(required(at.child('name')));
		else errors.push(...envVarName(name).map((text) => invalid(at.child('name'), name, text)));
		if (valueFrom) errors.push(...validateValueFrom(value, valueFrom, at.child('valueFrom')));
		return errors;
	});
}

const VALUE_SOURCES = [
	'fieldRef',
	'resourceFieldRef',
	'configMapKeyRef',
	'secretKeyRef',
	'fileKeyRef',
] as const;

/** The fields of a Pod that a variable can take; labels and annotations by key. */
const FIELD_PATHS = [
	'metadata.name',
	'metadata.namespace',
	'metadata.uid',
	'spec.nodeName',
	'spec.serviceAccountName',
	'status.hostIP',
	'status.hostIPs',
	'status.podIP',
	'status.podIPs',
];

function validateValueFrom(value: string, source: EnvVarSource, path: FieldPath): readonly FieldError[] {
	const given = VALUE_SOURCES.filter((name) => source[name] !== undefined);
	if (given.length === 0) {
		const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
		return [invalid(path, '', `must specify one of: ${names}`)];
	}
	const errors: FieldError[] = [];
	if (given.length > 1)
		errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
	if (value !== '') errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
	if (source.fieldRef) errors.push(...validateFieldPath(source.fieldRef.fieldPath, path.child('fieldRef')));
	for (const name of ['configMapKeyRef', 'secretKeyRef'] as const) {
		const reference = source[name];
		if (reference && !reference.name) errors.push(required(path.child(name, 'name')));
		if (reference && reference.key === '') errors.push(required(path.child(name, 'key')));
	}
	return errors;
}

function validateFieldPath(fieldPath: string, path: FieldPath): readonly FieldError[] {
	if (fieldPath === '') return [required(path.child('fieldPath'))];
	const subscript = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/.exec(fieldPath);
	if (subscript) {
		const key = subscript[2] ?? '';
		return qualifiedName(key.toLowerCase()).map((text) => invalid(path, key, text));
	}
	if (FIELD_PATHS.includes(fieldPath)) return [];
	if (/^(metadata\.(name|namespace|uid|labels|annotations)|spec\.|status\.)/.test(fieldPath)) {
		return [notSupported(path.child('fieldPath'), fieldPath, FIELD_PATHS)];
	}
	const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
	return [invalid(path.child('fieldPath'), fieldPath, detail)];
}

const STANDARD_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];

/** What is wrong with requests and limits. */
export function validateResources(resources: ResourceRequirements, path: FieldPath): readonly FieldError[] {
	const { limits = {}, requests = {} } = resources;
	const errors = [
		...validateResourceList(limits, path.child('limits')),
		...validateResourceList(requests, path.child('requests')),
	];
	for (const [resource, request] of Object.entries(requests)) {
		const limit = limits[resource];
		if (limit !== undefined && compareQuantities(request, limit) > 0) {
			const detail = `must be less than or equal to ${resource} limit of ${limit}`;
			errors.push(invalid(path.child('requests'), request, detail));
		}
	}
	return errors;
}

function validateResourceList(list: Readonly<Record<string, string>>, path: FieldPath): FieldError[] {
	const errors: FieldError[] = [];
	for (const [resource, quantity] of Object.entries(list)) {
		const at = path.key(resource);
		for (const text of qualifiedName(resource)) errors.push(invalid(at, resource, text));
		if (
			!resource.includes('/') &&
			!STANDARD_RESOURCES.includes(resource) &&
			!resource.startsWith('hugepages-')
		) {
			errors.push(invalid(at, resource, 'must be a standard resource for containers'));
		}
		if (compareQuantities(quantity, '0') < 0) {
			errors.push(invalid(at, quantity, 'must be greater than or equal to 0'));
		}
	}
	return errors;
}

function validateMounts(
	mounts: readonly VolumeMount[],
	volumes: ReadonlySet<string>,
	path: FieldPath,
): readonly FieldError[] {
	const paths = new Set<string>();
	return mounts.flatMap((mount, index) => {
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (mount.name === '') errors.push(required(at.child('name')));
		else if (!volumes.has(mount.name)) errors.push(notFound(at.child('name'), mount.name));
		if (mount.mountPath === '') errors.push(required(at.child('mountPath')));
		if (paths.has(mount.mountPath))
			errors.push(invalid(at.child('mountPath'), mount.mountPath, 'must be unique'));
		paths.add(mount.mountPath);
		if (mount.subPath) errors.push(...validateInnerPath(mount.subPath, at.child('subPath')));
		if (mount.subPath && mount.subPathExpr) {
			errors.push(
				invalid(at.child('subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'),
			);
		}
		return errors;
	});
}

/** A path below another one: relative, and without a step upward. */
export function validateInnerPath(path: string, at: FieldPath): readonly FieldError[] {
	if (path.startsWith('/')) return [invalid(at, path, 'must be a relative path')];
	return path.split('/').includes('..') ? [invalid(at, path, "must not contain '..'")] : [];
}

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;

function validateProbe(probe: Probe | undefined, path: FieldPath, once: boolean): readonly FieldError[] {
	if (!probe) return [];
	const errors: FieldError[] = [];
	const given = HANDLERS.filter((handler) => probe[handler] !== undefined);
	if (given.length === 0) errors.push(required(path, 'must specify a handler type'));
	for (const handler of given.slice(1)) {
		errors.push(forbidden(path.child(handler), 'may not specify more than 1 handler type'));
	}
	if (probe.exec && (probe.exec.command ?? []).length === 0)
		errors.push(required(path.child('exec', 'command')));
	const counts = [
		'initialDelaySeconds',
		'timeoutSeconds',
		'periodSeconds',
		'successThreshold',
		'failureThreshold',
	] as const;
	for (const count of counts) errors.push(...nonNegative(path.child(count), probe[count] ?? 0));
	if (once && probe.successThreshold !== undefined && probe.successThreshold !== 1) {
		errors.push(invalid(path.child('successThreshold'), probe.successThreshold, 'must be 1'));
	}
	return errors;
}
