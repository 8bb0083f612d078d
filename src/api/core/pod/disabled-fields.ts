import { mapShared, withField } from '../../meta/defaults.ts';
import { leftOut } from '../../meta/dropped-fields.ts';
import type { FieldPath } from '../../meta/field.ts';
import type { Container, PodSpec, PodTemplateSpec } from './schema.ts';

/**
 * Fields of features that are alpha in Kubernetes 1.37, and so off unless a cluster's owner turns them on. As
 * upstream (`DropDisabledPodFields`), a write that sets one is taken without it, unless the object has it already.
 * Its client is warned of that, which upstream leaves out.
 */

/** Why a container's `lifecycle.stopSignal` is dropped, and what to do instead. */
export const STOP_SIGNAL_OFF = {
	because: 'its feature, ContainerStopSignals, is alpha and therefore off',
	instead: 'handle SIGTERM',
};

/** `spec` without the fields that are off and that `old` does not use; the same object where it has none of them. */
export function withoutDisabledFields(spec: PodSpec, old?: PodSpec): PodSpec {
	if (old && usesStopSignals(old)) return spec;
	const left = withField(spec, 'containers', (containers) => mapShared(containers, withoutStopSignal));
	return withField(left, 'initContainers', (containers) => mapShared(containers, withoutStopSignal));
}

/** The same of a template that Pods are made from. */
export function templateWithoutDisabledFields(
	template: PodTemplateSpec,
	old?: PodTemplateSpec,
): PodTemplateSpec {
	return withField(template, 'spec', (spec) => withoutDisabledFields(spec, old?.spec));
}

/** Texts for Warning headers: what {@link withoutDisabledFields} takes off `spec`, which stands at `path`. */
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

/** Feature gate ContainerStopSignals. */
function usesStopSignals({ containers, initContainers = [] }: PodSpec): boolean {
	return [...initContainers, ...containers].some(({ lifecycle }) => lifecycle?.stopSignal !== undefined);
}

function withoutStopSignal(container: Container): Container {
	if (container.lifecycle?.stopSignal === undefined) return container;
	const { lifecycle, ...bare } = container;
	const { stopSignal: _, ...hooks } = lifecycle;
	return Object.keys(hooks).length > 0 ? { ...bare, lifecycle: hooks } : bare;
}
