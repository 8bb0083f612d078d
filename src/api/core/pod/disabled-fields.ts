/**
 * Fields of features that are alpha in Kubernetes 1.37, and so off unless a cluster's administrator enables
 * them. Like upstream's `DropDisabledPodFields`, the API server drops such a field from a write instead of
 * refusing the write, unless the stored object already has the field: dropping it then would change a Pod
 * that uses it. Upstream drops it silently; here the client gets a warning.
 */

import type { FieldPath } from '../../errors/field-path.ts';
import { mapShared, withField } from '../../schema/defaults.ts';
import { leftOut } from '../../schema/dropped-fields.ts';
import type { Container, PodSpec, PodTemplateSpec } from './schema.ts';

/** Why a container's `lifecycle.stopSignal` is dropped, and what its author can do instead. */
export const STOP_SIGNAL_OFF = {
	because: 'its feature, ContainerStopSignals, is alpha and therefore off',
	instead: 'handle SIGTERM',
};

/**
 * `spec` without the fields whose feature is off, unless `old`, the stored spec, uses that feature. Returns
 * `spec` itself if nothing is dropped.
 */
export function withoutDisabledFields(spec: PodSpec, old?: PodSpec): PodSpec {
	if (old && usesStopSignals(old)) return spec;
	const left = withField(spec, 'containers', (containers) => mapShared(containers, withoutStopSignal));
	return withField(left, 'initContainers', (containers) => mapShared(containers, withoutStopSignal));
}

/** Like {@link withoutDisabledFields}, for a Pod template. */
export function templateWithoutDisabledFields(
	template: PodTemplateSpec,
	old?: PodTemplateSpec,
): PodTemplateSpec {
	return withField(template, 'spec', (spec) => withoutDisabledFields(spec, old?.spec));
}

/**
 * Texts for Warning headers: which fields {@link withoutDisabledFields} drops from `spec`, which is at
 * `path`. One text names the first container and counts the others, so that a Pod with many containers gets
 * one warning.
 */
export function disabledFieldWarnings(
	spec: PodSpec,
	old: PodSpec | undefined,
	path: FieldPath,
): readonly string[] {
	if (old && usesStopSignals(old)) return [];
	const places = (['initContainers', 'containers'] as const).flatMap((list) =>
		(spec[list] ?? []).flatMap(({ lifecycle }, index) =>
			lifecycle?.stopSignal === undefined ? [] : [{ list, index }],
		),
	);
	const [first] = places;
	if (!first) return [];
	const at = path.child(first.list).index(first.index).child('lifecycle', 'stopSignal');
	return [leftOut(at, { ...STOP_SIGNAL_OFF, more: places.length - 1 })];
}

/** Whether a spec uses the feature gate ContainerStopSignals. */
function usesStopSignals({ containers, initContainers = [] }: PodSpec): boolean {
	return [...initContainers, ...containers].some(({ lifecycle }) => lifecycle?.stopSignal !== undefined);
}

/** A lifecycle that had only a stop signal is dropped as a whole, as if the client had not sent it. */
function withoutStopSignal(container: Container): Container {
	if (container.lifecycle?.stopSignal === undefined) return container;
	const { lifecycle, ...bare } = container;
	const { stopSignal: _, ...hooks } = lifecycle;
	return Object.keys(hooks).length > 0 ? { ...bare, lifecycle: hooks } : bare;
}
