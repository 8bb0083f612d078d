/**
 * Validation of the containers of a Pod. Rules, messages and the order of errors are those of upstream's
 * `validateContainers`, `validateInitContainers` and `validateEphemeralContainers` in
 * pkg/apis/core/validation.
 */

import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldNotFound,
	fieldRequired,
	malformed,
	notSupported,
	tooMany,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { dns1123Label, portName, portNumber } from '../../../meta/names.ts';
import { PROTOCOLS } from '../../../network/protocols.ts';
import type { Container, ContainerPort, EphemeralContainer } from '../schema/container.ts';
import type { PodSpec } from '../schema/spec.ts';
import type { Volume } from '../schema/volume.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { validateProbesAndHooks } from './handler.ts';
import { validateMounts } from './mount.ts';
import { validateContainerResources } from './resources.ts';
import { validateContainerSecurity } from './security.ts';

/** The parts of a Pod that its containers refer to. */
export interface ContainerContext {
	readonly spec: PodSpec;
	/** The valid volumes by name; a mount of any other is an error. */
	readonly volumes: ReadonlyMap<string, Volume>;
	/** The names in `spec.resourceClaims`. */
	readonly claims: ReadonlySet<string>;
}

/** Validates the regular containers of a Pod or template, at `path`. */
export function validateContainers(context: ContainerContext, path: FieldPath): readonly FieldError[] {
	const { containers } = context.spec;
	if (containers.length === 0) return [fieldRequired(path)];
	const names = new Set<string>();
	const errors: FieldError[] = [];
	for (const [index, container] of containers.entries()) {
		const at = path.index(index);
		errors.push(...validateCommon(container, context, at));
		if (names.has(container.name)) errors.push(duplicate(at.child('name'), container.name));
		names.add(container.name);
		errors.push(...validateProbesAndHooks(container, context.spec, at), ...validateRestarts(container, at));
	}
	return [...errors, ...validateHostPorts(containers, path)];
}

const WITHOUT_ALWAYS = 'may not be set for init containers without restartPolicy=Always';

/**
 * Validates the init containers; those with restartPolicy Always are sidecars, which may have probes and
 * hooks.
 */
export function validateInitContainers(context: ContainerContext, path: FieldPath): readonly FieldError[] {
	const { initContainers = [], containers } = context.spec;
	const names = new Set(containers.map(({ name }) => name));
	return initContainers.flatMap((container, index) => {
		const at = path.index(index);
		const errors = [...validateCommon(container, context, at), ...validateInitRestarts(container, at)];
		const { name, restartPolicy, resizePolicy = [] } = container;
		if (names.has(name)) errors.push(duplicate(at.child('name'), name));
		// An empty name has its own error already; two of them are no duplicates.
		if (name !== '') names.add(name);
		// Init containers run one after the other, so that two of them can use the same host port.
		errors.push(...validateHostPorts([container], path));
		if (restartPolicy === 'Always')
			return [...errors, ...validateProbesAndHooks(container, context.spec, at)];
		for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
			if (container[field] !== undefined) errors.push(fieldForbidden(at.child(field), WITHOUT_ALWAYS));
		}
		for (const [number, { restartPolicy: policy }] of resizePolicy.entries()) {
			if (policy !== 'RestartContainer') continue;
			const detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
			errors.push(
				fieldInvalid(at.child('resizePolicy').index(number).child('restartPolicy'), policy, detail),
			);
		}
		return errors;
	});
}

/** The fields that an ephemeral container cannot have: it is never restarted and reserves no resources. */
const NOT_EPHEMERAL = [
	'ports',
	'resources',
	'resizePolicy',
	'restartPolicy',
	'restartPolicyRules',
	'livenessProbe',
	'readinessProbe',
	'startupProbe',
	'lifecycle',
] as const;
const EPHEMERAL = 'cannot be set for an Ephemeral Container';

/** Validates the ephemeral containers, which were added to a running Pod. */
export function validateEphemeralContainers(
	context: ContainerContext,
	path: FieldPath,
): readonly FieldError[] {
	const { ephemeralContainers = [], initContainers = [], containers } = context.spec;
	const others = new Set([...containers, ...initContainers].map(({ name }) => name));
	const names = new Set(others);
	return ephemeralContainers.flatMap((container, index) => {
		const at = path.index(index);
		const { name, targetContainerName: target = '' } = container;
		const errors = [...validateCommon(container, context, at), ...validateImageSpaces(container, at)];
		if (names.has(name)) errors.push(duplicate(at.child('name'), name));
		names.add(name);
		if (target !== '' && !others.has(target))
			errors.push(fieldNotFound(at.child('targetContainerName'), target));
		return [...errors, ...validateNotEphemeral(container, at)];
	});
}

/** An empty list or object counts as not set, as in upstream's comparison with the zero value. */
function validateNotEphemeral(container: EphemeralContainer, path: FieldPath): readonly FieldError[] {
	const errors = NOT_EPHEMERAL.filter((field) => {
		const value = container[field];
		return typeof value === 'object' ? Object.keys(value).length > 0 : value !== undefined;
	}).map((field) => fieldForbidden(path.child(field), EPHEMERAL));
	for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
		const at = path.child('volumeMounts').index(index);
		if (mount.subPath) errors.push(fieldForbidden(at.child('subPath'), EPHEMERAL));
		if (mount.subPathExpr) errors.push(fieldForbidden(at.child('subPathExpr'), EPHEMERAL));
	}
	return errors;
}

/**
 * Refuses leading and trailing whitespace in an image name. Only for Pods: upstream accepts it in templates.
 */
export function validateImageSpaces({ image = '' }: Container, path: FieldPath): readonly FieldError[] {
	if (image === image.trim()) return [];
	return [fieldInvalid(path.child('image'), image, 'must not have leading or trailing whitespace')];
}

/** Both are set by defaulting, so an empty value is an error (upstream: `validatePullPolicy`). */
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const MESSAGE_POLICIES = ['File', 'FallbackToLogsOnError'];

/**
 * The rules for containers of all three lists. The order of the checks is upstream's, since it is the order
 * of the errors that clients see.
 */
function validateCommon(container: Container, context: ContainerContext, path: FieldPath): FieldError[] {
	const { name, image, imagePullPolicy, terminationMessagePolicy, resources, resizePolicy } = container;
	const { ports, env, envFrom, securityContext } = container;
	const at = path.child('name');
	const errors: FieldError[] = [];
	if (name === '') errors.push(fieldRequired(at));
	else errors.push(...malformed(at, name, dns1123Label(name)));
	if (!image) errors.push(fieldRequired(path.child('image')));
	errors.push(
		...chosen(path.child('terminationMessagePolicy'), terminationMessagePolicy, MESSAGE_POLICIES),
		...(ports ? validatePorts(ports, path.child('ports')) : []),
		...(env ? validateEnv(env, path.child('env')) : []),
		...(envFrom ? validateEnvFrom(envFrom, path.child('envFrom')) : []),
		...validateMounts(container, context.volumes, path),
		...chosen(path.child('imagePullPolicy'), imagePullPolicy, PULL_POLICIES),
		...(resources ? validateContainerResources(resources, context.claims, path.child('resources')) : []),
		...(resizePolicy ? validateResize(resizePolicy, context.spec, path.child('resizePolicy')) : []),
		...validateContainerSecurity(securityContext, context.spec, path.child('securityContext')),
	);
	return errors;
}

/**
 * Port names must be unique in the container, since probes refer to a port by its name. Names that repeat
 * across containers give a warning only.
 */
function validatePorts(ports: readonly ContainerPort[], path: FieldPath): readonly FieldError[] {
	const names = new Set<string>();
	return ports.flatMap(({ name = '', containerPort, hostPort = 0, protocol }, index) => {
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (name !== '') {
			const problems = portName(name);
			errors.push(...malformed(at.child('name'), name, problems));
			if (problems.length === 0 && names.has(name)) errors.push(duplicate(at.child('name'), name));
			names.add(name);
		}
		if (containerPort === 0) errors.push(fieldRequired(at.child('containerPort')));
		else errors.push(...validatePort(containerPort, at.child('containerPort')));
		if (hostPort !== 0) errors.push(...validatePort(hostPort, at.child('hostPort')));
		return [...errors, ...chosen(at.child('protocol'), protocol, PROTOCOLS)];
	});
}

/** 1 to 65535: zero means "not set" for a host port, and is an error of its own for a container port. */
function validatePort(port: number, path: FieldPath): readonly FieldError[] {
	return portNumber(port).map((problem) => fieldInvalid(path, port, problem));
}

/** Refuses a host port that two containers claim: the node can bind it only once. */
function validateHostPorts(containers: readonly Container[], path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const taken = new Set<string>();
	for (const [index, { ports = [] }] of containers.entries()) {
		for (const [number, { protocol = '', hostIP = '', hostPort = 0 }] of ports.entries()) {
			if (hostPort === 0) continue;
			const place = `${protocol}/${hostIP}/${hostPort}`;
			const at = path.index(index).child('ports').index(number).child('hostPort');
			if (taken.has(place)) errors.push(duplicate(at, place));
			taken.add(place);
		}
	}
	return errors;
}

/** In the order of upstream's errors (`validateContainerRestartPolicy`). */
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
/** Upstream's limits on restart rules and on the exit codes of each. */
const MAX_RULES = 20;
const MAX_EXIT_CODES = 255;

/** For an init container without restartPolicy, upstream reports only that restart rules require one. */
function validateInitRestarts(container: Container, path: FieldPath): readonly FieldError[] {
	const errors = validateRestarts(container, path);
	return container.restartPolicy === undefined ? errors.slice(0, 1) : errors;
}

/** Validates the container's own restart policy and its restart rules. */
function validateRestarts(container: Container, path: FieldPath): readonly FieldError[] {
	const { restartPolicy: policy, restartPolicyRules: rules = [] } = container;
	const errors: FieldError[] = [];
	if (policy === undefined && rules.length > 0) {
		const detail = 'must specify restartPolicy when restart rules are used';
		errors.push(fieldRequired(path.child('restartPolicy'), detail));
	} else if (policy !== undefined && !RESTART_POLICIES.includes(policy)) {
		errors.push(notSupported(path.child('restartPolicy'), policy, RESTART_POLICIES));
	}
	const list = path.child('restartPolicyRules');
	if (rules.length > MAX_RULES) errors.push(tooMany(list, rules.length, MAX_RULES));
	for (const [index, { action = '', exitCodes }] of rules.entries()) {
		const at = list.index(index);
		const actions = ['Restart', 'RestartAllContainers'];
		if (!actions.includes(action)) errors.push(notSupported(at.child('action'), action, actions));
		// A rule without exit codes would apply to every exit, which restartPolicy already says.
		if (!exitCodes) {
			errors.push(fieldRequired(at.child('exitCodes'), 'must be specified'));
			continue;
		}
		const { operator = '', values = [] } = exitCodes;
		if (!['In', 'NotIn'].includes(operator)) {
			errors.push(notSupported(at.child('exitCodes', 'operator'), operator, ['In', 'NotIn']));
		}
		if (values.length > MAX_EXIT_CODES) {
			errors.push(tooMany(at.child('exitCodes', 'values'), values.length, MAX_EXIT_CODES));
		}
	}
	return errors;
}

/** Validates the resize policies. Upstream reports all errors at the list, except for duplicates. */
function validateResize(
	policies: NonNullable<Container['resizePolicy']>,
	spec: PodSpec,
	path: FieldPath,
): readonly FieldError[] {
	const seen = new Set<string>();
	return policies.flatMap(({ resourceName, restartPolicy }, index) => {
		const errors: FieldError[] = [];
		if (seen.has(resourceName)) errors.push(duplicate(path.index(index), resourceName));
		seen.add(resourceName);
		errors.push(
			...chosen(path, resourceName, ['cpu', 'memory']),
			...chosen(path, restartPolicy, ['NotRequired', 'RestartContainer']),
		);
		if (spec.restartPolicy === 'Never' && restartPolicy !== 'NotRequired') {
			const detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
			errors.push(fieldInvalid(path, restartPolicy, detail));
		}
		return errors;
	});
}
