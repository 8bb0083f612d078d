import type { Toleration } from '../../../api/core/pod/schema.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';

/** Both lists as one, without tolerations that another one includes (upstream: `MergeTolerations`). */
export function mergeTolerations(
	first: readonly Toleration[],
	second: readonly Toleration[],
): readonly Toleration[] {
	const all = [...first, ...second];
	const merged: Toleration[] = [];
	for (const [index, each] of all.entries()) {
		if (merged.some((other) => includes(other, each))) continue;
		const later = all.slice(index + 1);
		if (later.some((other) => !semanticEqual(each, other) && includes(other, each))) continue;
		merged.push(each);
	}
	return merged;
}

/** Whether `wide` tolerates every taint that `narrow` does, for as long. */
function includes(wide: Toleration, narrow: Toleration): boolean {
	if (semanticEqual(wide, narrow)) return true;
	const { key = '', operator = 'Equal', effect = '', tolerationSeconds, value = '' } = wide;
	if ((narrow.key ?? '') !== key && (key !== '' || operator !== 'Exists')) return false;
	if ((narrow.effect ?? '') !== effect && effect !== '') return false;
	if (effect === 'NoExecute' && tolerationSeconds !== undefined) {
		const shorter = narrow.tolerationSeconds;
		if (shorter === undefined || shorter > tolerationSeconds) return false;
	}
	return operator === 'Exists' || (narrow.operator === 'Equal' && (narrow.value ?? '') === value);
}
