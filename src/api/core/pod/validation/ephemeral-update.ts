import { quote } from '../../../../base/quote.ts';
import { fieldForbidden } from '../../../errors/field-errors.ts';
import { type FieldError, FieldPath, SPEC } from '../../../errors/field-path.ts';
import { validateMetaUpdate } from '../../../meta/validate-meta.ts';
import { semanticEqual } from '../../../schema/equality.ts';
import type { Pod } from '../schema.ts';
import { META, validateMetaAndSpec } from './pod.ts';

/** The annotation of Pods that a kubelet has read from a file. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/**
 * The errors of an update through the subresource ephemeralcontainers (upstream:
 * `ValidatePodEphemeralContainersUpdate`): containers can be added, in any order, but neither changed nor removed.
 * Upstream appends a diff to the error about a change; it is left out here, as in update.ts.
 */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): readonly FieldError[] {
	if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined)
		return [fieldForbidden(new FieldPath(''), 'static pods do not support ephemeral containers')];
	const at = SPEC.child('ephemeralContainers');
	const wanted = new Map(
		(pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]),
	);
	const changes = (old.spec.ephemeralContainers ?? []).flatMap((container) => {
		const now = wanted.get(container.name);
		const which = `existing ephemeral containers ${quote(container.name)}`;
		if (!now) return [fieldForbidden(at, `${which} may not be removed\n`)];
		return semanticEqual(container, now) ? [] : [fieldForbidden(at, `${which} may not be changed\n`)];
	});
	return [...validateMetaUpdate(pod.metadata, old.metadata, META), ...validateMetaAndSpec(pod), ...changes];
}
