import type { KubeObject } from '../../../api/meta/object-meta.ts';
import { podIn } from './advice.ts';
import { placesIn } from './field-rules.ts';

/**
 * The paths of the privileged containers in a Pod, Job or CronJob, of which upstream's validation says `disallowed by
 * cluster policy` unless the API server was started with `--allow-privileged`. Those in `old` are not among them, so that
 * an object from before the policy can still be changed.
 */
export function newlyPrivileged(object: KubeObject, old: KubeObject | undefined): readonly string[] {
	const before = new Set(old ? privilegedIn(old) : []);
	return privilegedIn(object).filter((path) => !before.has(path));
}

function privilegedIn(object: KubeObject): readonly string[] {
	const described = podIn(object);
	if (!described) return [];
	return placesIn(described.pod)
		.filter(({ container }) => container.securityContext?.privileged)
		.map(({ path }) => `${described.prefix}${path}.securityContext.privileged`);
}
