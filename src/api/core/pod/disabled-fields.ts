/**
 * Fields of features that are off in Kubernetes 1.37 unless a cluster's administrator enables them. Like
 * upstream's `DropDisabledPodFields`, the API server drops such a field from a write instead of refusing the write,
 * unless the stored object already uses the feature: dropping it then would change a Pod that uses it. Upstream
 * drops it silently; here the client gets a warning.
 */

import { type FieldPath, SPEC } from '../../errors/field-path.ts';
import { leftOut } from '../../schema/dropped-fields.ts';
import { DISABLED_FEATURES, type DisabledFeature } from './disabled-features.ts';
import type { PodSpec, PodStatus, PodTemplateSpec } from './schema.ts';

const TEMPLATE_SPEC = SPEC.child('template', 'spec');

const FEATURES: readonly DisabledFeature[] = Object.values(DISABLED_FEATURES);

/**
 * `spec` without the fields whose feature is off, unless `old`, the stored spec, uses that feature. Returns
 * `spec` itself if nothing is dropped.
 */
export function withoutDisabledFields(spec: PodSpec, old?: PodSpec): PodSpec {
	let left = spec;
	for (const feature of FEATURES) {
		const dropped = feature.drop(left, () => undefined);
		if (dropped !== left && !(old && disabledPlaces(feature, old).length > 0)) left = dropped;
	}
	return left;
}

/** The spec of a workload, with the template of its Pods. */
interface TemplatedSpec {
	readonly template?: PodTemplateSpec;
}

/** Like {@link withoutDisabledFields}, for the spec of a workload. */
export function specWithoutDisabledFields<S extends TemplatedSpec>(spec: S, old?: S): S {
	const { template } = spec;
	const left = template && templateWithoutDisabledFields(template, old?.template);
	return left === template ? spec : { ...spec, template: left };
}

/** Like {@link withoutDisabledFields}, for a Pod template. */
export function templateWithoutDisabledFields(
	template: PodTemplateSpec,
	old?: PodTemplateSpec,
): PodTemplateSpec {
	const { spec } = template;
	const left = withoutDisabledFields(spec, old?.spec);
	return left === spec ? template : { ...template, spec: left };
}

/**
 * Texts for Warning headers: which fields {@link withoutDisabledFields} drops from `spec`, which is at
 * `path`. One text per feature names the first place and counts the others, so that a Pod with many containers gets
 * one warning.
 */
export function disabledFieldWarnings(
	spec: PodSpec,
	old: PodSpec | undefined,
	path: FieldPath,
): readonly string[] {
	return FEATURES.flatMap((feature) => {
		const places = disabledPlaces(feature, spec);
		const [first] = places;
		if (first === undefined || (old && disabledPlaces(feature, old).length > 0)) return [];
		const { because, instead } = feature;
		return [leftOut(path.child(first), { because, instead, more: places.length - 1 })];
	});
}

/** Like {@link disabledFieldWarnings}, for the spec of a workload. */
export function disabledTemplateWarnings(
	{ template }: TemplatedSpec,
	old: TemplatedSpec | undefined,
): readonly string[] {
	return template ? disabledFieldWarnings(template.spec, old?.template?.spec, TEMPLATE_SPEC) : [];
}

/** The paths in `spec` of the fields of a feature, such as `volumes[0].emptyDir.mode`. */
export function disabledPlaces(feature: DisabledFeature, spec: PodSpec): readonly string[] {
	const places: string[] = [];
	feature.drop(spec, (place) => places.push(place));
	return places;
}

/** As {@link withoutDisabledFields}, for a status (upstream: `dropDisabledPodStatusFields`). */
export function statusWithoutDisabledFields(status: PodStatus, old: PodStatus): PodStatus {
	const { volumeHealth, nodeAllocatableResourceClaimStatuses, ...rest } = status;
	if (!volumeHealth && !nodeAllocatableResourceClaimStatuses) return status;
	return {
		...rest,
		...(volumeHealth && old.volumeHealth && { volumeHealth }),
		...(nodeAllocatableResourceClaimStatuses &&
			old.nodeAllocatableResourceClaimStatuses && { nodeAllocatableResourceClaimStatuses }),
	};
}
