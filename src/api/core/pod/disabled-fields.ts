import { mapShared, withField } from '../../meta/defaults.ts';
import type { Container, Lifecycle, PodSpec, PodTemplateSpec } from './schema.ts';

/**
 * Fields of features that are alpha in Kubernetes 1.37, and so off unless a cluster's owner turns them on. As
 * upstream (`DropDisabledPodFields`), a write that sets one is taken without it.
 */

/** `spec` without the fields that are off; the same object where it has none of them. */
export function withoutDisabledFields(spec: PodSpec): PodSpec {
	const left = withField(spec, 'containers', (containers) => mapShared(containers, withoutStopSignal));
	return withField(left, 'initContainers', (containers) => mapShared(containers, withoutStopSignal));
}

/** The same of a template that Pods are made from. */
export function templateWithoutDisabledFields(template: PodTemplateSpec): PodTemplateSpec {
	return withField(template, 'spec', withoutDisabledFields);
}

/** Feature gate ContainerStopSignals. */
function withoutStopSignal(container: Container): Container {
	return withField(container, 'lifecycle', (lifecycle): Lifecycle => {
		if (lifecycle.stopSignal === undefined) return lifecycle;
		const { stopSignal: _, ...left } = lifecycle;
		return left;
	});
}
