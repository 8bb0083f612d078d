import { invalid } from '../../api/errors/api-error.ts';
import { fieldForbidden } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import { newlyPrivileged } from '../../plan/pod/fields/privileged.ts';
import type { AdmissionPlugin } from './admission.ts';
import { nameForMessages } from './refusal.ts';

/**
 * Rejects privileged containers, for a server without `--allow-privileged`. Upstream's validation does that, by a global
 * setting (`capabilities.Get().AllowPrivileged`); ours is pure and has none.
 */
export class PrivilegedContainers implements AdmissionPlugin {
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: (attributes) => {
			const { object, old, subresource } = attributes;
			if (!object || subresource === 'status') return;
			const paths = newlyPrivileged(object, old);
			if (paths.length === 0) return;
			const errors = paths.map((path) => fieldForbidden(new FieldPath(path), 'disallowed by cluster policy'));
			const { group, kind } = attributes.definition;
			throw invalid({ group, resource: kind, name: nameForMessages(attributes) }, errors);
		},
	};
}
