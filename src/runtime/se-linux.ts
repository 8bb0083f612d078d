import { existsSync } from 'node:fs';
import { inBoth } from './field-paths.ts';

/** Where the kernel's interface of SELinux is mounted, if SELinux is enabled. */
const INTERFACE = '/sys/fs/selinux/enforce';

/**
 * The Pod fields with labels of SELinux, if the machine has none: then they have no effect, as on a kubelet's node without
 * it. Where it is enabled, no runtime here applies them.
 */
export function fieldsWithoutSELinux(): readonly string[] {
	return existsSync(INTERFACE) ? [] : inBoth('seLinuxOptions');
}
