const ABBREVIATIONS = [
	['ReadWriteOnce', 'RWO'],
	['ReadOnlyMany', 'ROX'],
	['ReadWriteMany', 'RWX'],
	['ReadWriteOncePod', 'RWOP'],
] as const;

/** Access modes as kubectl abbreviates them: `RWO,ROX` (upstream: `GetAccessModesAsString`). */
export function accessModesText(modes: readonly string[] = []): string {
	return ABBREVIATIONS.flatMap(([mode, text]) => (modes.includes(mode) ? [text] : [])).join(',');
}
