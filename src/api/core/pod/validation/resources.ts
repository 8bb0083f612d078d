/**
 * Validation of requests and limits, of containers and of Pods as a whole (upstream:
 * pkg/apis/core/validation). Three kinds of resources have different rules: native ones (`cpu`, `memory`) can
 * be overcommitted, huge pages and extended ones (`example.com/gpu`) cannot, so that these need a limit equal
 * to the request.
 */

import { entryOf } from '../../../../base/json/json.ts';
import {
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldNotFound,
	fieldRequired,
	malformed,
	notSupported,
} from '../../../errors/field-errors.ts';
import type { FieldError, FieldPath } from '../../../errors/field-path.ts';
import { dns1123Label, qualifiedName } from '../../../meta/names.ts';
import { compareQuantities, parseQuantity, quantityValue } from '../../../meta/quantity.ts';
import { aggregateRequests } from '../aggregate-requests.ts';
import type { ResourceRequirements } from '../schema/container.ts';
import type { PodSpec } from '../schema/spec.ts';

/** The errors of the name of a resource, which differ between containers and Pods. */
type NameCheck = (resource: string, path: FieldPath) => readonly FieldError[];

/** An entry of limits or requests. */
interface Amount {
	readonly resource: string;
	readonly quantity: string;
	/** The path of the limits or requests. */
	readonly path: FieldPath;
}

/**
 * Validates the resources of a container at `path`; `claims` are the names in the Pod's spec.resourceClaims.
 */
export function validateContainerResources(
	resources: ResourceRequirements,
	claims: ReadonlySet<string>,
	path: FieldPath,
): readonly FieldError[] {
	return [
		...validateAmounts(resources, validateContainerResourceName, path),
		...validateClaims(resources.claims ?? [], claims, path.child('claims')),
	];
}

/** Validates the resources of the Pod as a whole, by themselves and against those of its containers. */
export function validatePodResources(
	spec: PodSpec,
	claims: ReadonlySet<string>,
	path: FieldPath,
): readonly FieldError[] {
	const { resources, os } = spec;
	if (!resources) return [];
	// The kubelet enforces them by cgroups, which Windows has not.
	if (os?.name === 'windows') return [fieldForbidden(path, 'may not be set for a windows pod')];
	const errors: FieldError[] = [];
	if (resources.claims) {
		errors.push(fieldForbidden(path.child('claims'), 'claims may not be set for Resources at pod-level'));
	}
	return [
		...errors,
		...validateAmounts(resources, validatePodResourceName, path),
		...validateClaims(resources.claims ?? [], claims, path.child('claims')),
		...validateAgainstContainers(spec, resources, path),
	];
}

const OVERCOMMITTED_DETAIL = 'Limit must be set for non overcommitable resources';

/**
 * Validates limits, then requests, in upstream's order. Huge pages alone are refused: they also need a
 * request or limit on cpu or memory.
 */
function validateAmounts(
	resources: ResourceRequirements,
	check: NameCheck,
	path: FieldPath,
): readonly FieldError[] {
	const { limits = {}, requests = {} } = resources;
	const errors: FieldError[] = [];
	const limitsPath = path.child('limits');
	const requestsPath = path.child('requests');
	for (const resource in limits) {
		errors.push(...validateAmount({ resource, quantity: limits[resource] ?? '0', path: limitsPath }, check));
	}
	for (const resource in requests) {
		const request = { resource, quantity: requests[resource] ?? '0', path: requestsPath };
		const limit = entryOf(limits, resource);
		errors.push(...validateNameAndSign(request, check));
		if (limit === undefined) {
			if (!isOvercommitAllowed(resource)) errors.push(fieldRequired(limitsPath, OVERCOMMITTED_DETAIL));
		} else {
			errors.push(...validateBelowLimit(request, limit));
		}
		errors.push(...validateHugePages(request));
	}
	const all = [...Object.keys(limits), ...Object.keys(requests)];
	if (all.some(isHugePage) && !all.includes('cpu') && !all.includes('memory')) {
		errors.push(fieldForbidden(path, 'HugePages require cpu or memory'));
	}
	return errors;
}

/** Upstream: the part of `validateResourceRequirements` that limits and requests share. */
function validateAmount(amount: Amount, check: NameCheck): readonly FieldError[] {
	return [...validateNameAndSign(amount, check), ...validateHugePages(amount)];
}

/** Upstream: `ValidateResourceQuantityValue`, after the check of the name. */
function validateNameAndSign({ resource, quantity, path }: Amount, check: NameCheck): readonly FieldError[] {
	const at = path.key(resource);
	return [...check(resource, at), ...validateQuantity(resource, quantity, at)];
}

/**
 * Requires an amount that is not negative, and whole for resources that are counted (objects, extended ones).
 */
export function validateQuantity(resource: string, quantity: string, path: FieldPath): readonly FieldError[] {
	const { nanos } = parseQuantity(quantity);
	const errors: FieldError[] = [];
	if (nanos < 0n) errors.push(fieldInvalid(path, quantity, 'must be greater than or equal to 0'));
	if (isWhole(resource) && nanos % 1_000_000_000n !== 0n) {
		errors.push(fieldInvalid(path, quantity, 'must be an integer'));
	}
	return errors;
}

/** A request must not exceed its limit, and must equal it if the resource cannot be overcommitted. */
function validateBelowLimit({ resource, quantity, path }: Amount, limit: string): readonly FieldError[] {
	const difference = compareQuantities(quantity, limit);
	if (difference !== 0 && !isOvercommitAllowed(resource)) {
		return [fieldInvalid(path, quantity, `must be equal to ${resource} limit of ${limit}`)];
	}
	if (difference <= 0) return [];
	return [fieldInvalid(path, quantity, `must be less than or equal to ${resource} limit of ${limit}`)];
}

/** An amount of huge pages must be a multiple of the page size, which is part of the resource's name. */
function validateHugePages({ resource, quantity, path }: Amount): readonly FieldError[] {
	if (!isHugePage(resource)) return [];
	const size = pageSize(resource);
	if (size !== undefined && size > 0 && quantityValue(quantity) % size === 0) return [];
	return [
		fieldInvalid(path.key(resource), quantity, `${quantity} is not positive integer multiple of ${resource}`),
	];
}

/** Bytes of a page; undefined if the name has no valid quantity: the name check reports that. */
function pageSize(resource: string): number | undefined {
	try {
		return quantityValue(resource.slice(HUGE_PAGES_PREFIX.length));
	} catch {
		return undefined;
	}
}

const HUGE_PAGES_PREFIX = 'hugepages-';
/** Upstream: `ResourceDefaultNamespacePrefix`, in pkg/apis/core/helper as the following lists. */
const NATIVE_DOMAIN = 'kubernetes.io/';
const CONTAINER_RESOURCES = ['cpu', 'memory', 'ephemeral-storage'];
const POD_RESOURCES = ['cpu', 'hugepages-', 'memory'];
/** Known resource names without a domain; containers can use only some of them, quotas use the others. */
const STANDARD_RESOURCES = new Set([
	...CONTAINER_RESOURCES,
	...CONTAINER_RESOURCES.map((name) => `requests.${name}`),
	...CONTAINER_RESOURCES.map((name) => `limits.${name}`),
	...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
	...[
		'persistentvolumeclaims',
		'storage',
		'requests.storage',
		'services.nodeports',
		'services.loadbalancers',
	],
]);
/** Resources of quotas that count objects, of which there is no half (upstream: `integerResources`). */
const COUNTED_RESOURCES = [
	...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
	...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
];

/** Upstream: `IsHugePageResourceName`. */
function isHugePage(resource: string): boolean {
	return resource.startsWith(HUGE_PAGES_PREFIX);
}

/** Native resources have no domain, or one of kubernetes.io. */
function isNative(resource: string): boolean {
	return !resource.includes('/') || resource.includes(NATIVE_DOMAIN);
}

/**
 * Extended resources have a domain of their own. The name must stay valid with the prefix `requests.`, which
 * resource quotas add to it.
 */
function isExtended(resource: string): boolean {
	return (
		!isNative(resource) &&
		!resource.startsWith('requests.') &&
		qualifiedName(`requests.${resource}`).length === 0
	);
}

/** Upstream: `IsOvercommitAllowed`. A node can promise more cpu than it has, but no device twice. */
function isOvercommitAllowed(resource: string): boolean {
	return isNative(resource) && !isHugePage(resource);
}

/** Upstream: `IsIntegerResourceName`. */
function isWhole(resource: string): boolean {
	return COUNTED_RESOURCES.includes(resource) || isExtended(resource);
}

/** Upstream: `validateResourceName`. Names without a domain belong to Kubernetes, which knows all of them. */
function validateResourceName(resource: string, path: FieldPath): readonly FieldError[] {
	const errors = malformed(path, resource, qualifiedName(resource));
	if (errors.length > 0 || resource.includes('/')) return errors;
	const known =
		STANDARD_RESOURCES.has(resource) || isHugePage(resource) || resource.startsWith('requests.hugepages-');
	return known ? [] : [fieldInvalid(path, resource, 'must be a standard resource type or fully qualified')];
}

/**
 * The names that containers can use: the native ones for containers, huge pages, and resources with a domain.
 */
function validateContainerResourceName(resource: string, path: FieldPath): readonly FieldError[] {
	if (CONTAINER_RESOURCES.includes(resource)) return [];
	const errors = validateResourceName(resource, path);
	if (!resource.includes('/')) {
		if (isHugePage(resource)) return errors;
		return [...errors, fieldInvalid(path, resource, 'must be a standard resource for containers')];
	}
	if (isNative(resource) || isExtended(resource)) return errors;
	return [...errors, fieldInvalid(path, resource, "doesn't follow extended resource name standard")];
}

/**
 * Pods as a whole support only cpu, memory and huge pages, which the kubelet enforces by the Pod's cgroup.
 */
function validatePodResourceName(resource: string, path: FieldPath): readonly FieldError[] {
	const errors = validateResourceName(resource, path);
	if (errors.length > 0 || POD_RESOURCES.includes(resource) || isHugePage(resource)) return errors;
	return [notSupported(path, resource, POD_RESOURCES)];
}

/**
 * An entry without a request stands for all requests of a claim, so it must not occur beside entries with
 * requests of the same claim.
 */
function validateClaims(
	claims: NonNullable<ResourceRequirements['claims']>,
	known: ReadonlySet<string>,
	path: FieldPath,
): readonly FieldError[] {
	const seen = new Set<string>();
	/** Names of claims of which an earlier entry uses a single request. */
	const divided = new Set<string>();
	const unknownDetail = `must be one of the names in pod.spec.resourceClaims${listed(known)}`;
	return claims.flatMap(({ name, request = '' }, index) => {
		const at = path.index(index);
		if (name === '') return [fieldRequired(at)];
		const errors: FieldError[] = [];
		const key = request === '' ? name : `${name}/${request}`;
		if (request !== '') errors.push(...malformed(at.child('request'), request, dns1123Label(request)));
		const overlaps = request === '' && divided.has(name);
		if (seen.has(name) || overlaps) errors.push(duplicate(at, name));
		else if (seen.has(key)) errors.push(duplicate(at, key));
		seen.add(key);
		if (request !== '') divided.add(name);
		if (!known.has(name)) errors.push(fieldNotFound(at, name, unknownDetail));
		return errors;
	});
}

/** The end of upstream's error: the names that are allowed. */
function listed(names: ReadonlySet<string>): string {
	return names.size === 0 ? ' which is empty' : `: ${[...names].sort().join(', ')}`;
}

/**
 * The containers' requests together must not exceed those of the Pod, nor any single limit the Pod's limit.
 */
function validateAgainstContainers(
	spec: PodSpec,
	{ limits = {}, requests = {} }: ResourceRequirements,
	path: FieldPath,
): readonly FieldError[] {
	const errors: FieldError[] = [];
	const needed = aggregateRequests(spec);
	for (const [resource, request] of Object.entries(requests)) {
		const sum = needed.get(resource);
		if (sum === undefined || compareQuantities(sum, request) <= 0) continue;
		const detail = `must be greater than or equal to aggregate container requests of ${sum}`;
		errors.push(fieldInvalid(path.child('requests').key(resource), request, detail));
	}
	for (const [index, container] of spec.containers.entries()) {
		for (const [resource, limit] of Object.entries(container.resources?.limits ?? {})) {
			const most = entryOf(limits, resource);
			if (most === undefined || compareQuantities(limit, most) <= 0) continue;
			// Upstream's path: the index and the resource are in the order in which it builds them.
			const at = path.child('containers').index(index).key(resource).child('limits');
			errors.push(fieldInvalid(at, limit, `must be less than or equal to pod limits of ${most}`));
		}
	}
	return errors;
}
