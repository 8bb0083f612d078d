/**
 * The strategies of the subresources through which clients change a running Pod: each keeps everything but its own part
 * of the spec (upstream: `podEphemeralContainersStrategy` and `podResizeStrategy` in pkg/registry/core/pod/strategy.go).
 */

import type { SubresourceStrategy } from '../../contract/resource-definition.ts';
import { generationAfter } from '../../meta/generation.ts';
import { semanticEqual } from '../../schema/equality.ts';
import { withoutDisabledFields } from './disabled-fields.ts';
import type { Container, Pod, PodSpec } from './schema.ts';
import { validateEphemeralContainersUpdate } from './validation/ephemeral-update.ts';
import { validatePodResize } from './validation/resize.ts';

/** The subresource ephemeralcontainers: adds containers for debugging. */
export const podEphemeralContainersStrategy: SubresourceStrategy<Pod> = {
	prepareForUpdate: (pod, old) => {
		const { ephemeralContainers: _, ...rest } = old.spec;
		const { ephemeralContainers } = pod.spec;
		return changed(pod, old, { ...rest, ...(ephemeralContainers && { ephemeralContainers }) });
	},
	validateUpdate: validateEphemeralContainersUpdate,
};

/** The subresource resize: changes requests and limits in place. */
export const podResizeStrategy: SubresourceStrategy<Pod> = {
	prepareForUpdate: (pod, old) => {
		const { spec } = pod;
		const sameLengths =
			spec.containers.length === old.spec.containers.length &&
			(spec.initContainers ?? []).length === (old.spec.initContainers ?? []).length;
		// Validation then refuses the change.
		if (!sameLengths) return pod;
		const { initContainers } = old.spec;
		const resources = spec.resources ?? old.spec.resources;
		return changed(pod, old, {
			...old.spec,
			...(resources && { resources }),
			containers: resized(spec.containers, old.spec.containers),
			...(initContainers && { initContainers: resized(spec.initContainers ?? [], initContainers) }),
		});
	},
	validateUpdate: validatePodResize,
};

/** The stored containers with the resources and resize policies of the new ones. */
function resized(now: readonly Container[], old: readonly Container[]): readonly Container[] {
	if (now.some(({ name }, index) => name !== old[index]?.name)) return now;
	return old.map((container, index) => {
		const { resources: _resources, resizePolicy: _policy, ...rest } = container;
		const { resources, resizePolicy } = now[index] ?? {};
		return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
	});
}

/** The stored Pod with this spec: of the metadata, a subresource can change nothing (`ResetObjectMetaForStatus`). */
function changed(pod: Pod, old: Pod, wanted: PodSpec): Pod {
	const spec = withoutDisabledFields(wanted, old.spec);
	const isChanged = !semanticEqual(spec, old.spec);
	const { resourceVersion, managedFields } = pod.metadata;
	return {
		...pod,
		metadata: {
			...old.metadata,
			...(resourceVersion !== undefined && { resourceVersion }),
			...(managedFields && { managedFields }),
			generation: generationAfter(old.metadata, isChanged),
		},
		spec: isChanged ? spec : old.spec,
		status: old.status,
	};
}
