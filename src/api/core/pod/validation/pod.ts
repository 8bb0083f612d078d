/**
 * Validation of Pods and Pod templates: upstream's rules, in its order and with its messages
 * (`ValidatePodCreate` and `ValidatePodSpec` in pkg/apis/core/validation). Not covered are the rules for
 * Windows Pods and for annotations that fields have replaced.
 */

import {
	chosen,
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldNotFound,
	fieldRequired,
	malformed,
	tooLong,
} from '../../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../../errors/field-path.ts';
import { dns1123Label, dns1123Subdomain, exceeds, inRange, qualifiedName } from '../../../meta/names.ts';
import { validateLabels } from '../../../meta/selector.ts';
import { validateAnnotations, validateMeta } from '../../../meta/validate-meta.ts';
import type { Pod, PodSpec, PodTemplateSpec } from '../schema.ts';
import { validateAffinity, validateSpread, validateTolerations } from './affinity.ts';
import {
	type ContainerContext,
	validateContainers,
	validateEphemeralContainers,
	validateImageSpaces,
	validateInitContainers,
} from './container.ts';
import { validateDeletionCost } from './deletion-cost.ts';
import { validateDnsConfig, validateHostAliases } from './network.ts';
import { validateContainerResources, validatePodResources } from './resources.ts';
import { validateHostUsers, validatePodSecurity } from './security.ts';
import { type SpecOwner, validateVolumes } from './volumes/volume.ts';

/** Path of a Pod's metadata. */
export const META = new FieldPath('metadata');

/** Names of Pods are DNS subdomains (upstream: `ValidatePodName`), although a host name needs a label: see podWarnings. */
const RULES = { namespaced: true, name: dns1123Subdomain };

/** The errors of a Pod that a client creates. */
export function validatePod(pod: Pod): readonly FieldError[] {
	const { spec } = pod;
	const errors = [...validateMetaAndSpec(pod)];
	if (spec.ephemeralContainers?.length) {
		errors.push(fieldForbidden(SPEC.child('ephemeralContainers'), 'cannot be set on create'));
	}
	if (spec.nodeName && spec.schedulingGates?.length) {
		const detail = 'cannot be set until all schedulingGates have been cleared';
		errors.push(fieldForbidden(SPEC.child('nodeName'), detail));
	}
	return errors;
}

/** The errors that apply to creates and updates alike. */
export function validateMetaAndSpec({ metadata, spec }: Pod): readonly FieldError[] {
	return [
		...validateMeta(metadata, RULES, META),
		...validateDeletionCost(metadata.annotations, META.child('annotations')),
		...validatePodSpec(spec, SPEC, { of: 'pod', name: metadata.name ?? '' }),
		...validateTokens(spec),
		...spec.containers.flatMap((container, index) =>
			validateImageSpaces(container, SPEC.child('containers').index(index)),
		),
		...(spec.initContainers ?? []).flatMap((container, index) =>
			validateImageSpaces(container, SPEC.child('initContainers').index(index)),
		),
	];
}

/** A token belongs to a service account, so a volume with one requires serviceAccountName. */
function validateTokens({ serviceAccountName, volumes = [] }: PodSpec): readonly FieldError[] {
	if (serviceAccountName) return [];
	return volumes.flatMap(({ projected }, index) => {
		const at = SPEC.child('volumes').index(index).child('projected', 'sources');
		return (projected?.sources ?? []).flatMap(({ serviceAccountToken }, number) => {
			const path = at.index(number).child('serviceAccountToken');
			return serviceAccountToken
				? [fieldForbidden(path, 'must not be specified when serviceAccountName is not set')]
				: [];
		});
	});
}

/** The errors of a Pod template at `path`. */
export function validatePodTemplate(template: PodTemplateSpec, path: FieldPath): readonly FieldError[] {
	const { metadata = {}, spec } = template;
	const errors = [
		...validateLabels(metadata.labels, path.child('labels')),
		...validateAnnotations(metadata.annotations, path.child('annotations')),
		...validateDeletionCost(metadata.annotations, path.child('annotations')),
		...validatePodSpec(spec, path.child('spec'), { of: 'template' }),
	];
	if (spec.ephemeralContainers?.length) {
		const detail = 'ephemeral containers not allowed in pod template';
		errors.push(fieldForbidden(path.child('spec', 'ephemeralContainers'), detail));
	}
	return errors;
}

/** Upstream: `validateRestartPolicy` and `validateDNSPolicy`. Defaulting sets both, so an empty value is an error. */
const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

/** The errors of the spec of a Pod or template at `path`, in upstream's order. */
function validatePodSpec(spec: PodSpec, path: FieldPath, owner: SpecOwner): readonly FieldError[] {
	const volumes = validateVolumes(spec.volumes ?? [], path.child('volumes'), owner);
	const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name !== ''));
	const context: ContainerContext = { spec, volumes: volumes.valid, claims };
	return [
		// Defaulting sets it, but upstream checks it nevertheless.
		...(spec.terminationGracePeriodSeconds === undefined
			? [fieldRequired(path.child('terminationGracePeriodSeconds'))]
			: []),
		...volumes.errors,
		...validateResourceClaims(spec.resourceClaims ?? [], path.child('resourceClaims')),
		...validateContainers(context, path.child('containers')),
		...validateInitContainers(context, path.child('initContainers')),
		...validateEphemeralContainers(context, path.child('ephemeralContainers')),
		...validatePodResources(spec, claims, path.child('resources')),
		...validateHostNetwork(spec, path.child('containers'), owner.of),
		...chosen(path.child('restartPolicy'), spec.restartPolicy, RESTART_POLICIES),
		...chosen(path.child('dnsPolicy'), spec.dnsPolicy, DNS_POLICIES),
		...validateLabels(spec.nodeSelector, path.child('nodeSelector')),
		...validatePodSecurity(spec, path.child('securityContext')),
		...validateAffinity(spec.affinity, path.child('affinity')),
		...validateDnsConfig(spec, path.child('dnsConfig')),
		...validateGates(spec, path),
		...validateSpread(spec.topologySpreadConstraints ?? [], path.child('topologySpreadConstraints')),
		...validateHostUsers(spec, path),
		...validateHostNameOverride(spec, path.child('hostnameOverride')),
		...validateScalars(spec, path),
		...validateFileVolumes(spec, path),
	];
}

/** Readiness gates name conditions, scheduling gates name themselves; both are qualified names. */
function validateGates(
	{ readinessGates = [], schedulingGates = [] }: PodSpec,
	path: FieldPath,
): FieldError[] {
	const errors: FieldError[] = [];
	for (const [index, { conditionType }] of readinessGates.entries()) {
		const at = path.child('readinessGates').index(index).child('conditionType');
		errors.push(...malformed(at, conditionType, qualifiedName(conditionType)));
	}
	const seen = new Set<string>();
	for (const [index, { name }] of schedulingGates.entries()) {
		const at = path.child('schedulingGates').index(index);
		errors.push(...malformed(at, name, qualifiedName(name)));
		if (seen.has(name)) errors.push(duplicate(at, name));
		seen.add(name);
	}
	return errors;
}

/** Upstream limits activeDeadlineSeconds to 32 bits, although the field has 64. */
const MAX_DEADLINE_SECONDS = 2 ** 31 - 1;

/** Fields that are checked independently of each other; upstream checks most of them last. */
function validateScalars(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const { activeDeadlineSeconds: deadline, hostname, subdomain, tolerations, hostAliases, os } = spec;
	const { runtimeClassName, preemptionPolicy, overhead } = spec;
	const errors = [...validateName(spec, 'serviceAccountName', path), ...validateName(spec, 'nodeName', path)];
	if (deadline !== undefined) {
		for (const problem of inRange(deadline, 1, MAX_DEADLINE_SECONDS)) {
			errors.push(fieldInvalid(path.child('activeDeadlineSeconds'), deadline, problem));
		}
	}
	if (hostname) errors.push(...malformed(path.child('hostname'), hostname, dns1123Label(hostname)));
	if (subdomain) errors.push(...malformed(path.child('subdomain'), subdomain, dns1123Label(subdomain)));
	if (tolerations) errors.push(...validateTolerations(tolerations, path.child('tolerations')));
	if (hostAliases) errors.push(...validateHostAliases(hostAliases, path.child('hostAliases')));
	errors.push(...validateName(spec, 'priorityClassName', path));
	if (runtimeClassName !== undefined) {
		const at = path.child('runtimeClassName');
		errors.push(...malformed(at, runtimeClassName, dns1123Subdomain(runtimeClassName)));
	}
	// Admission sets it from the PriorityClass before validation, so clients rarely meet this error.
	if (preemptionPolicy !== undefined) {
		const supported = ['PreemptLowerPriority', 'Never'];
		errors.push(...chosen(path.child('preemptionPolicy'), preemptionPolicy, supported));
	}
	if (overhead) {
		const at = path.child('overhead');
		// The overhead has the form of limits, so upstream validates it as such.
		errors.push(...validateContainerResources({ limits: overhead }, new Set(), at));
	}
	// Upstream: `validateOS`. The fields that an OS excludes are checked by the runtime's traits, not here.
	if (os) {
		const at = path.child('os');
		if (os.name) errors.push(...chosen(at, os.name, ['linux', 'windows']));
		else errors.push(fieldRequired(at.child('name')));
	}
	return errors;
}

/** Names of other objects, where empty means none. Whether the objects exist is checked by admission or the scheduler. */
function validateName(
	spec: PodSpec,
	field: 'serviceAccountName' | 'nodeName' | 'priorityClassName',
	path: FieldPath,
): readonly FieldError[] {
	const name = spec[field];
	return name ? malformed(path.child(field), name, dns1123Subdomain(name)) : [];
}

/** Each claim of the Pod refers to an existing ResourceClaim or to a template for one, never to both. */
function validateResourceClaims(
	claims: NonNullable<PodSpec['resourceClaims']>,
	path: FieldPath,
): readonly FieldError[] {
	const names = new Set<string>();
	return claims.flatMap((claim, index) => {
		const { name, resourceClaimName, resourceClaimTemplateName } = claim;
		const at = path.index(index);
		const errors: FieldError[] = [];
		if (name === '') errors.push(fieldRequired(at.child('name')));
		else if (names.has(name)) errors.push(duplicate(at.child('name'), name));
		else errors.push(...malformed(at.child('name'), name, dns1123Label(name)));
		names.add(name);
		if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
			const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified';
			errors.push(fieldInvalid(at, claim, detail));
		}
		if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
			const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
			errors.push(fieldInvalid(at, claim, detail));
		}
		for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName })) {
			if (value !== undefined) errors.push(...malformed(at.child(field), value, dns1123Subdomain(value)));
		}
		return errors;
	});
}

/**
 * With hostNetwork, hostPort must equal containerPort. A template can leave it out: defaulting of its Pods
 * sets it.
 */
function validateHostNetwork(
	{ hostNetwork, containers }: PodSpec,
	path: FieldPath,
	of: 'pod' | 'template',
): readonly FieldError[] {
	if (!hostNetwork) return [];
	return containers.flatMap(({ ports = [] }, index) =>
		ports.flatMap(({ hostPort = 0, containerPort }, number) => {
			if (hostPort === containerPort || (hostPort === 0 && of === 'template')) return [];
			const at = path.index(index).child('ports').index(number).child('hostPort');
			return [fieldInvalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true')];
		}),
	);
}

/** Limit of Linux on host names (HOST_NAME_MAX). */
const MAX_HOSTNAME_LENGTH = 64;

/** The override replaces every other source of the host name, so it excludes the fields that affect it. */
function validateHostNameOverride(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const { hostnameOverride: name, setHostnameAsFQDN, hostNetwork } = spec;
	if (name === undefined) return [];
	const errors: FieldError[] = [];
	if (setHostnameAsFQDN) {
		errors.push(fieldForbidden(path, 'may not be specified when setHostnameAsFQDN is true'));
	}
	if (hostNetwork) errors.push(fieldForbidden(path, 'may not be specified when hostNetwork is true'));
	if (exceeds(name, MAX_HOSTNAME_LENGTH)) errors.push(tooLong(path, MAX_HOSTNAME_LENGTH));
	return [...errors, ...malformed(path, name, dns1123Subdomain(name))];
}

/** A fileKeyRef must refer to an emptyDir: an init container writes the file before the container starts. */
function validateFileVolumes(spec: PodSpec, path: FieldPath): readonly FieldError[] {
	const errors: FieldError[] = [];
	// If two volumes have the same name, the first counts: the map keeps the last entry of a key.
	const volumes = new Map((spec.volumes ?? []).toReversed().map((volume) => [volume.name, volume]));
	for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
		for (const [index, { env = [] }] of (spec[list] ?? []).entries()) {
			for (const [number, { valueFrom }] of env.entries()) {
				const name = valueFrom?.fileKeyRef?.volumeName;
				if (name === undefined) continue;
				const variable = path.child(list).index(index).child('env').index(number);
				const at = variable.child('valueFrom', 'fileKeyRef', 'volumeName');
				const volume = volumes.get(name);
				if (!volume) errors.push(fieldNotFound(at, name));
				else if (!volume.emptyDir) {
					errors.push(fieldInvalid(at, name, 'referenced volume must be of type emptyDir'));
				}
			}
		}
	}
	return errors;
}
