import { fieldForbidden, fieldInvalid } from '../../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../../errors/field-path.ts';
import { validateMetaUpdate } from '../../../meta/validate-meta.ts';
import { semanticEqual } from '../../../schema/equality.ts';
import type { ResourceList } from '../aggregate-requests.ts';
import { qosClassOf } from '../quality-of-service.ts';
import type { Container, Pod, ResourceRequirements } from '../schema.ts';
import { MIRROR_ANNOTATION } from './ephemeral-update.ts';
import { META, validateMetaAndSpec } from './pod.ts';

/** The resources that can be changed while a container runs. */
export const RESIZABLE = ['cpu', 'memory'] as const;

/**
 * The errors of an update through the subresource resize (upstream: `ValidatePodResize`). Only requests and limits on
 * cpu and memory can change, and none of them can be removed, since the kernel keeps the last value.
 */
export function validatePodResize(pod: Pod, old: Pod): readonly FieldError[] {
	const root = new FieldPath('');
	if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined)
		return [fieldForbidden(root, 'static pods cannot be resized')];
	if (old.spec.os?.name === 'windows') return [fieldForbidden(root, 'windows pods cannot be resized')];
	const errors = [...validateMetaUpdate(pod.metadata, old.metadata, META), ...validateMetaAndSpec(pod)];
	if ((old.status.qosClass ?? qosClassOf(old)) !== qosClassOf(pod)) {
		const detail = 'Pod QOS Class may not change as a result of resizing';
		errors.push(fieldInvalid(SPEC, pod.status.qosClass ?? '', detail));
	}
	if (!nodeSupportsResize(old))
		errors.push(fieldForbidden(SPEC, 'Pod running on node without support for resize'));
	errors.push(...validatePodLevel(pod.spec.resources, old.spec.resources));
	const order = validateOrder(pod, old);
	if (order.length > 0) return [...errors, ...order];
	errors.push(...validateRemovals(pod, old), ...validateOtherChanges(pod, old));
	if (!semanticEqual(pod.spec.volumes ?? [], old.spec.volumes ?? [])) {
		const detail =
			'volumes are immutable on resize when InPlacePodVerticalScalingMemoryBackedVolumes feature gate is disabled';
		errors.push(fieldForbidden(SPEC.child('volumes'), detail));
	}
	if (errors.length > 0 || semanticEqual(fixedPart(pod, old), fixedPart(old, old))) return errors;
	return [fieldForbidden(SPEC, 'only cpu and memory resources are mutable')];
}

/** Whether the agent of the node reports resources of running containers; assumed if none runs. */
function nodeSupportsResize({ status }: Pod): boolean {
	const running = status.containerStatuses?.find(({ state }) => state?.running);
	return running === undefined || running.resources !== undefined;
}

/** The rules for the resources of the Pod as a whole. */
function validatePodLevel(
	now: ResourceRequirements | undefined,
	old: ResourceRequirements | undefined,
): readonly FieldError[] {
	const at = SPEC.child('resources');
	if (!old && !now) return [];
	if (old && !now) return [fieldForbidden(at, 'pod-level resources cannot be removed')];
	const errors: FieldError[] = [];
	for (const list of ['requests', 'limits'] as const) {
		const what = `pod-level resource ${list} cannot be removed`;
		if (isRemoved(now?.[list], old?.[list])) errors.push(fieldForbidden(at.child(list), what));
	}
	const rest = withOld(now, old);
	if (!semanticEqual(rest, withOld(old, old)))
		errors.push(fieldForbidden(SPEC, 'only cpu and memory resources are mutable at pod-level'));
	return errors;
}

function validateOrder(pod: Pod, old: Pod): readonly FieldError[] {
	return (['containers', 'initContainers'] as const).flatMap((list) => {
		const at = SPEC.child(list);
		const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []];
		if (now.length !== before.length)
			return [fieldForbidden(at, `${list} may not be added or removed on resize`)];
		return before.flatMap(({ name }, index) => {
			if (now[index]?.name === name) return [];
			const detail = `${list} may not be renamed or reordered on resize`;
			return [fieldForbidden(at.index(index).child('name'), detail)];
		});
	});
}

function validateRemovals(pod: Pod, old: Pod): readonly FieldError[] {
	return (['initContainers', 'containers'] as const).flatMap((list) =>
		(old.spec[list] ?? []).flatMap(({ resources }, index) => {
			const at = SPEC.child(list).index(index).child('resources');
			const now = pod.spec[list]?.[index]?.resources;
			return (['requests', 'limits'] as const).flatMap((kind) =>
				isRemoved(now?.[kind], resources?.[kind])
					? [fieldForbidden(at.child(kind), `resource ${kind} cannot be removed`)]
					: [],
			);
		}),
	);
}

function isRemoved(now: ResourceList = {}, old: ResourceList = {}): boolean {
	return Object.keys(old).some((name) => !Object.hasOwn(now, name));
}

/** The errors of changes other than to cpu and memory, for each container. */
function validateOtherChanges(pod: Pod, old: Pod): readonly FieldError[] {
	const regular = pod.spec.containers.flatMap((container, index) => {
		const before = old.spec.containers[index];
		if (!before || semanticEqual(withoutResize(container, before), withoutResize(before, before))) return [];
		return [fieldForbidden(SPEC, 'only cpu and memory resources are mutable')];
	});
	const init = (pod.spec.initContainers ?? []).flatMap((container, index) => {
		const before = old.spec.initContainers?.[index];
		if (!before || semanticEqual(container, before)) return [];
		const at = SPEC.child('initContainers').index(index);
		const errors: FieldError[] = [];
		if (!semanticEqual(withoutResize(container, before), withoutResize(before, before))) {
			const detail = 'only cpu and memory resources for init or sidecar containers are mutable';
			errors.push(fieldForbidden(at, detail));
		}
		if (container.restartPolicy === 'Always') return errors;
		const detail = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized';
		const restarts = (container.resizePolicy ?? []).filter(
			({ restartPolicy }) => restartPolicy === 'RestartContainer',
		);
		return [...errors, ...restarts.map(() => fieldForbidden(at, detail))];
	});
	return [...regular, ...init];
}

/** The container with cpu and memory as in `old`. */
function withoutResize(container: Container, old: Container): object {
	return { ...container, resources: withOld(container.resources, old.resources) };
}

/** `resources` with the amounts of cpu and memory that `old` has. */
function withOld(resources: ResourceRequirements | undefined, old: ResourceRequirements | undefined): object {
	const part = (now: ResourceList = {}, before: ResourceList = {}): ResourceList => {
		const kept = Object.entries(now).filter(([name]) => !isResizable(name));
		return Object.fromEntries([...kept, ...Object.entries(before).filter(([name]) => isResizable(name))]);
	};
	return {
		limits: part(resources?.limits, old?.limits),
		requests: part(resources?.requests, old?.requests),
		claims: resources?.claims ?? [],
	};
}

function isResizable(name: string): boolean {
	return RESIZABLE.some((each) => each === name);
}

/** Everything in the spec that a resize must not change. */
function fixedPart({ spec }: Pod, old: Pod): object {
	const { resources, containers, initContainers = [], ...rest } = spec;
	return {
		...rest,
		resources: withOld(resources, old.spec.resources),
		containers: containers.map((each, index) => withoutResize(each, old.spec.containers[index] ?? each)),
		initContainers: initContainers.map((each, index) =>
			withoutResize(each, old.spec.initContainers?.[index] ?? each),
		),
	};
}
