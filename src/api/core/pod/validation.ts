import { semanticEqual } from '../../meta/equality.ts';
import type { FieldError } from '../../meta/field.ts';
import { FieldPath } from '../../meta/field.ts';
import { duplicate, forbidden, invalid, notSupported, required } from '../../meta/field-errors.ts';
import { dns1123Label, dns1123Subdomain, inRange, qualifiedName } from '../../meta/names.ts';
import { validateLabels } from '../../meta/selector.ts';
import { validateAnnotations, validateMeta, validateMetaUpdate } from '../../meta/validate-meta.ts';
import {
	oneOfValues,
	validateContainers,
	validateInnerPath,
	validateResources,
} from './container-validation.ts';
import type {
	Affinity,
	NodeSelectorRequirement,
	Pod,
	PodSpec,
	PodTemplateSpec,
	Toleration,
	Volume,
} from './schema.ts';
import { VOLUME_SOURCES } from './volume-schema.ts';

const META = new FieldPath('metadata');
const SPEC = new FieldPath('spec');
const RULES = { namespaced: true, name: dns1123Subdomain };

/** What is wrong with a Pod to be created. */
export function validatePod(pod: Pod): readonly FieldError[] {
	return [...validateMeta(pod.metadata, RULES, META), ...validatePodSpec(pod.spec, SPEC)];
}

/** What is wrong with the template that Pods are to be made from. */
export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): readonly FieldError[] {
	const { metadata = {}, spec } = template;
	return [
		...validateLabels(metadata.labels, path.child('labels')),
		...validateAnnotations(metadata.annotations, path.child('annotations')),
		...validatePodSpec(spec, path.child('spec')),
	];
}

const MUTABLE =
	'`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What is wrong with a change of a Pod: hardly anything in its spec may change. */
export function validatePodUpdate(pod: Pod, old: Pod): readonly FieldError[] {
	const errors = [...validateMetaUpdate(pod.metadata, old.metadata, META)];
	if (pod.spec === old.spec) return errors;
	errors.push(...validatePodSpec(pod.spec, SPEC));
	if (semanticEqual(unchanging(pod.spec, old.spec), old.spec)) return errors;
	errors.push(forbidden(SPEC, `pod updates may not change fields other than ${MUTABLE}\n`));
	return errors;
}

/** The new spec with all that may change put back to what it was. */
function unchanging(spec: PodSpec, old: PodSpec): PodSpec {
	const images = (now: PodSpec['containers'], before: PodSpec['containers']): PodSpec['containers'] =>
		now.map((container, index) => {
			const image = before[index]?.image;
			return image === undefined ? container : { ...container, image };
		});
	const { activeDeadlineSeconds, tolerations, schedulingGates, ...rest } = spec;
	const kept = old.tolerations ?? [];
	const added = kept.every((toleration) => tolerations?.some((other) => semanticEqual(other, toleration)));
	const gatesLeft = (schedulingGates ?? []).every(({ name }) =>
		old.schedulingGates?.some((gate) => gate.name === name),
	);
	return {
		...rest,
		containers: images(spec.containers, old.containers),
		...(spec.initContainers && { initContainers: images(spec.initContainers, old.initContainers ?? []) }),
		...(old.activeDeadlineSeconds !== undefined && { activeDeadlineSeconds: old.activeDeadlineSeconds }),
		...(added ? old.tolerations && { tolerations: old.tolerations } : tolerations && { tolerations }),
		...(gatesLeft ? old.schedulingGates && { schedulingGates: old.schedulingGates } : { schedulingGates }),
	};
}

/** What is wrong with what a Pod is to run. */
export function validatePodSpec(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const volumes = spec.volumes ?? [];
	const seen = new Set<string>();
	const around = { volumes: new Set(volumes.map(({ name }) => name)), seen };
	return [
		...validateVolumes(volumes, path.child('volumes')),
		...(spec.containers.length === 0 ? [required(path.child('containers'))] : []),
		...validateContainers(spec.containers, { ...around, init: false }, path.child('containers')),
		...validateContainers(spec.initContainers ?? [], { ...around, init: true }, path.child('initContainers')),
		...oneOfValues(spec.restartPolicy ?? '', ['Always', 'OnFailure', 'Never'], path.child('restartPolicy')),
		...oneOfValues(
			spec.dnsPolicy ?? '',
			['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
			path.child('dnsPolicy'),
		),
		...validateLabels(spec.nodeSelector, path.child('nodeSelector')),
		...validateNames(spec, path),
		...validateDeadline(spec.activeDeadlineSeconds, path.child('activeDeadlineSeconds')),
		...validateTolerations(spec.tolerations ?? [], path.child('tolerations')),
		...validateAffinity(spec.affinity, path.child('affinity')),
		...(spec.resources ? validateResources(spec.resources, path.child('resources')) : []),
	];
}

function validateNames(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	const { hostname, subdomain, serviceAccountName, nodeName, priorityClassName } = spec;
	if (hostname)
		errors.push(...dns1123Label(hostname).map((text) => invalid(path.child('hostname'), hostname, text)));
	if (subdomain)
		errors.push(...dns1123Label(subdomain).map((text) => invalid(path.child('subdomain'), subdomain, text)));
	const objects = { serviceAccountName, nodeName, priorityClassName };
	for (const [field, name] of Object.entries(objects)) {
		if (name) errors.push(...dns1123Subdomain(name).map((text) => invalid(path.child(field), name, text)));
	}
	return errors;
}

function validateDeadline(seconds: number | undefined, path: FieldPath): readonly FieldError[] {
	if (seconds === undefined) return [];
	return inRange(seconds, 1, 2 ** 31 - 1).map((text) => invalid(path, seconds, text));
}

function validateVolumes(volumes: readonly Volume[], path: FieldPath): readonly FieldError[] {
	const names = new Set<string>();
	return volumes.flatMap((volume, index) => {
		const at = path.index(index);
		const { name } = volume;
		const errors: FieldError[] = [];
		if (name === '') errors.push(required(at.child('name')));
		else errors.push(...dns1123Label(name).map((text) => invalid(at.child('name'), name, text)));
		if (names.has(name)) errors.push(duplicate(at.child('name'), name));
		names.add(name);
		return [...errors, ...validateVolumeSource(volume, at)];
	});
}

function validateVolumeSource(volume: Volume, path: FieldPath): readonly FieldError[] {
	const given = VOLUME_SOURCES.filter((source) => volume[source] !== undefined);
	if (given.length === 0) return [required(path, 'must specify a volume type')];
	const errors = given
		.slice(1)
		.map((source) => forbidden(path.child(source), 'may not specify more than 1 volume type'));
	const { hostPath, configMap, secret, persistentVolumeClaim } = volume;
	if (hostPath?.path === '') errors.push(required(path.child('hostPath', 'path')));
	if (hostPath?.path.split('/').includes('..')) {
		errors.push(invalid(path.child('hostPath', 'path'), hostPath.path, "must not contain '..'"));
	}
	if (configMap && !configMap.name) errors.push(required(path.child('configMap', 'name')));
	if (secret && !secret.secretName) errors.push(required(path.child('secret', 'secretName')));
	if (persistentVolumeClaim?.claimName === '') {
		errors.push(required(path.child('persistentVolumeClaim', 'claimName')));
	}
	for (const source of ['configMap', 'secret'] as const) {
		for (const [index, { key, path: file }] of (volume[source]?.items ?? []).entries()) {
			const at = path.child(source, 'items').index(index);
			if (key === '') errors.push(required(at.child('key')));
			if (file === '') errors.push(required(at.child('path')));
			errors.push(...validateInnerPath(file, at.child('path')));
		}
	}
	return errors;
}

function validateTolerations(tolerations: readonly Toleration[], path: FieldPath): readonly FieldError[] {
	return tolerations.flatMap((toleration, index) => {
		const at = path.index(index);
		const { key = '', value = '', effect = '', tolerationSeconds } = toleration;
		const operator: string = toleration.operator ?? '';
		const errors: FieldError[] = [];
		if (key !== '') errors.push(...qualifiedName(key).map((text) => invalid(at.child('key'), key, text)));
		else if (operator !== 'Exists') {
			errors.push(
				invalid(
					at.child('operator'),
					operator,
					'operator must be Exists when `key` is empty, which means "match all values and all keys"',
				),
			);
		}
		if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
			errors.push(
				invalid(at.child('effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"),
			);
		}
		if (operator === 'Exists' && value !== '') {
			errors.push(
				invalid(at.child('operator'), toleration, "value must be empty when `operator` is 'Exists'"),
			);
		} else if (!['', 'Equal', 'Exists', 'Lt', 'Gt'].includes(operator)) {
			errors.push(notSupported(at.child('operator'), operator, ['Equal', 'Exists']));
		}
		if (!['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(effect)) {
			errors.push(notSupported(at.child('effect'), effect, ['NoSchedule', 'PreferNoSchedule', 'NoExecute']));
		}
		return errors;
	});
}

function validateAffinity(affinity: Affinity | undefined, path: FieldPath): readonly FieldError[] {
	const needed = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	if (!needed) return [];
	const at = path.child(
		'nodeAffinity',
		'requiredDuringSchedulingIgnoredDuringExecution',
		'nodeSelectorTerms',
	);
	if (needed.nodeSelectorTerms.length === 0)
		return [required(at, 'must have at least one node selector term')];
	return needed.nodeSelectorTerms.flatMap((term, index) =>
		(term.matchExpressions ?? []).flatMap((requirement, number) =>
			validateRequirement(requirement, at.index(index).child('matchExpressions').index(number)),
		),
	);
}

function validateRequirement(requirement: NodeSelectorRequirement, path: FieldPath): readonly FieldError[] {
	const { key, values = [] } = requirement;
	const operator: string = requirement.operator;
	const errors: FieldError[] = [];
	const at = path.child('values');
	if (operator === 'In' || operator === 'NotIn') {
		if (values.length === 0)
			errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
	} else if (operator === 'Exists' || operator === 'DoesNotExist') {
		if (values.length > 0)
			errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
	} else if (operator === 'Gt' || operator === 'Lt') {
		if (values.length !== 1)
			errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
	} else {
		errors.push(invalid(path.child('operator'), operator, 'not a valid selector operator'));
	}
	return [...errors, ...qualifiedName(key).map((text) => invalid(path.child('key'), key, text))];
}
