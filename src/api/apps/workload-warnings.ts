import type { PodTemplateSpec } from '../core/pod/schema.ts';
import { podOwnerNameWarnings, podTemplateWarnings } from '../core/pod/warnings.ts';
import { SPEC } from '../errors/field-path.ts';
import type { KubeObject } from '../meta/object-meta.ts';

/**
 * Texts for Warning headers about a workload with this Pod template: on a create (`old` is undefined), and on an update
 * that counts as a new generation.
 */
export function workloadWarnings(
	object: KubeObject,
	old: KubeObject | undefined,
	template: PodTemplateSpec | undefined,
): readonly string[] {
	if (old && old.metadata.generation === object.metadata.generation) return [];
	return [
		...(old ? [] : podOwnerNameWarnings(object.metadata.name)),
		...(template ? podTemplateWarnings(template, SPEC.child('template')) : []),
	];
}
