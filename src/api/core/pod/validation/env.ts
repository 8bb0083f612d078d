/**
 * Validation of environment variables, and of references to fields of the Pod and resources of its
 * containers, which downward API volumes use as well (upstream: pkg/apis/core/validation).
 */

import { fieldInvalid, fieldRequired, malformed, notSupported } from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import {
	configMapKey,
	dns1123Label,
	dns1123Subdomain,
	envVarName,
	qualifiedName,
} from '../../../meta/names.ts';
import type { EnvFromSource, EnvVar, EnvVarSource } from '../schema/environment.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../schema/reference.ts';
import { validateNoBacksteps } from './path.ts';

/** Validates each variable by itself. A name may occur twice: the later value counts. */
export function validateEnv(env: readonly EnvVar[], path: FieldPath): readonly FieldError[] {
	return env.flatMap(({ name, value = '', valueFrom }, index) => {
		const at = path.index(index);
		return [
			...(name === ''
				? [fieldRequired(at.child('name'))]
				: malformed(at.child('name'), name, envVarName(name))),
			...(valueFrom ? validateValueFrom(value, valueFrom, at.child('valueFrom')) : []),
		];
	});
}

/** Validates sources of sets of variables. Upstream reports a missing or second source at the whole list. */
export function validateEnvFrom(sources: readonly EnvFromSource[], path: FieldPath): readonly FieldError[] {
	return sources.flatMap(({ prefix = '', configMapRef, secretRef }, index) => {
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (prefix !== '') errors.push(...malformed(at.child('prefix'), prefix, envVarName(prefix)));
		for (const [field, reference] of Object.entries({ configMapRef, secretRef })) {
			if (reference) errors.push(...validateObjectName(reference.name, at.child(field, 'name')));
		}
		if (!configMapRef && !secretRef) {
			errors.push(fieldInvalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
		} else if (configMapRef && secretRef) {
			errors.push(fieldInvalid(path, '', 'may not have more than one field specified at a time'));
		}
		return errors;
	});
}

/** The name of a ConfigMap or Secret; whether it exists is found when the container starts. */
function validateObjectName(name: string | undefined, path: FieldPath): readonly FieldError[] {
	return name ? malformed(path, name, dns1123Subdomain(name)) : [fieldRequired(path)];
}

/** In the order of upstream's `validateEnvVarValueFrom`. */
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const;

/**
 * Exactly one source, and no value beside it. Upstream reports errors within the sources before those about
 * their number.
 */
function validateValueFrom(value: string, source: EnvVarSource, path: FieldPath): readonly FieldError[] {
	const { fieldRef, resourceFieldRef, fileKeyRef } = source;
	const errors: FieldError[] = [];
	if (fieldRef) errors.push(...validateFieldRef(fieldRef, VARIABLE_FIELDS, path.child('fieldRef')));
	if (resourceFieldRef) {
		errors.push(...validateResourceFieldRef(resourceFieldRef, 'variable', path.child('resourceFieldRef')));
	}
	for (const field of ['configMapKeyRef', 'secretKeyRef'] as const) {
		const { name = '', key = '' } = source[field] ?? {};
		if (!source[field]) continue;
		const at = path.child(field);
		errors.push(...malformed(at.child('name'), name, dns1123Subdomain(name)));
		if (key === '') errors.push(fieldRequired(at.child('key')));
		else errors.push(...malformed(at.child('key'), key, configMapKey(key)));
	}
	if (fileKeyRef) errors.push(...validateFileKey(fileKeyRef, path.child('fileKeyRef')));
	const given = SOURCES.filter((field) => source[field] !== undefined).length;
	if (given === 0) {
		const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
		errors.push(fieldInvalid(path, '', `must specify one of: ${names}`));
	} else if (value !== '') {
		errors.push(fieldInvalid(path, '', 'may not be specified when `value` is not empty'));
	} else if (given > 1) {
		errors.push(fieldInvalid(path, '', 'may not have more than one field specified at a time'));
	}
	return errors;
}

/** Upstream: `validateFileKeySelector`. The file is written by an init container, so only its form can be checked here. */
function validateFileKey(
	{ key, volumeName, path: file }: NonNullable<EnvVarSource['fileKeyRef']>,
	path: FieldPath,
): readonly FieldError[] {
	const at = (field: string): FieldPath => path.child(field);
	return [
		...(key === '' ? [fieldRequired(at('key'))] : malformed(at('key'), key, envVarName(key))),
		...(volumeName === ''
			? [fieldRequired(at('volumeName'))]
			: malformed(at('volumeName'), volumeName, dns1123Label(volumeName))),
		...(file === '' ? [fieldRequired(at('path'))] : validateNoBacksteps(file, at('path'))),
	];
}

/** The fields of a Pod that a variable can refer to, besides single labels and annotations. */
const VARIABLE_FIELDS = [
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

/**
 * The fields of a Pod that a file can refer to, besides single labels and annotations; sorted, as errors list
 * them.
 */
export const FILE_FIELDS = [
	'metadata.annotations',
	'metadata.labels',
	'metadata.name',
	'metadata.namespace',
	'metadata.uid',
];

/**
 * The paths that upstream can convert (`ConvertDownwardAPIFieldLabel`); each use accepts only some of them.
 */
const KNOWN_FIELDS = new Set([
	...VARIABLE_FIELDS,
	...FILE_FIELDS,
	'spec.restartPolicy',
	'spec.schedulerName',
	'spec.host',
	'status.phase',
]);

/**
 * Validates a reference to a field of the Pod: one of `fields`, or a single label or annotation by its key.
 */
export function validateFieldRef(
	{ apiVersion = '', fieldPath }: ObjectFieldSelector,
	fields: readonly string[],
	path: FieldPath,
): readonly FieldError[] {
	if (apiVersion === '') return [fieldRequired(path.child('apiVersion'))];
	const at = path.child('fieldPath');
	if (fieldPath === '') return [fieldRequired(at)];
	// Upstream reports what its conversion between API versions reports.
	const unknown = (reason: string): readonly FieldError[] => [
		fieldInvalid(at, fieldPath, `error converting fieldPath: ${reason}`),
	];
	if (apiVersion !== 'v1') return unknown(`unsupported pod version: ${apiVersion}`);
	const bracket = fieldPath.indexOf("['");
	if (bracket > 0 && fieldPath.endsWith("']") && bracket + 2 <= fieldPath.length - 2) {
		const owner = fieldPath.slice(0, bracket);
		const key = fieldPath.slice(bracket + 2, -2);
		if (owner === 'metadata.annotations') return malformed(path, key, qualifiedName(key.toLowerCase()));
		if (owner === 'metadata.labels') return malformed(path, key, qualifiedName(key));
		return unknown(`field label does not support subscript: ${fieldPath}`);
	}
	if (!KNOWN_FIELDS.has(fieldPath)) return unknown(`field label not supported: ${fieldPath}`);
	return fields.includes(fieldPath) ? [] : [notSupported(at, fieldPath, fields)];
}

/** Sorted, as upstream's errors list them (`validContainerResourceFieldPathExpressions`). */
const RESOURCE_FIELDS = [
	'limits.cpu',
	'limits.ephemeral-storage',
	'limits.memory',
	'requests.cpu',
	'requests.ephemeral-storage',
	'requests.memory',
];
/** Sizes of huge pages differ between machines, so any is accepted. */
const HUGE_PAGES = /^(requests|limits)\.hugepages-/;
/** Divisors that upstream allows: millicores and cores, or powers of 1000 and of 1024 for bytes. */
const CPU_DIVISORS = ['1m', '1'];
const BYTE_UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const BYTE_DIVISORS = BYTE_UNITS.map((unit) => `1${unit}`);

/**
 * Validates a reference to a request or limit. A file must name a container; a variable defaults to its own.
 */
export function validateResourceFieldRef(
	{ containerName = '', resource, divisor = '0' }: ResourceFieldSelector,
	use: 'variable' | 'file',
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	if (use === 'file' && containerName === '') errors.push(fieldRequired(path.child('containerName')));
	else if (resource === '') errors.push(fieldRequired(path.child('resource')));
	else if (!RESOURCE_FIELDS.includes(resource) && !HUGE_PAGES.test(resource)) {
		errors.push(notSupported(path.child('resource'), resource, RESOURCE_FIELDS));
	}
	if (divisor === '0') return errors;
	const [, name = ''] = resource.split('.');
	const kind = HUGE_PAGES.test(resource) ? 'hugepages' : (DIVIDED_RESOURCES[name] ?? '');
	const wrong = !(kind === 'cpu' ? CPU_DIVISORS : BYTE_DIVISORS).includes(divisor);
	if (kind === '' || !wrong) return errors;
	const allowed = kind === 'cpu' ? '1m and 1' : BYTE_DIVISORS.join(', ');
	const detail = `only divisor's values ${allowed} are supported with the ${kind} resource`;
	return [...errors, fieldInvalid(path.child('divisor'), resource, detail)];
}

/** The resources whose divisor is checked, with the name of each in upstream's error. */
const DIVIDED_RESOURCES: Readonly<Record<string, string>> = {
	cpu: 'cpu',
	memory: 'memory',
	'ephemeral-storage': 'local ephemeral storage',
};
