import type { Store } from '../../store/store.ts';
import type { DataFolder } from './data-folder.ts';

/** The store: SQLite in the data folder, in memory for an embedded server, or one that a function opens. */
export type StoreChoice = 'disk' | 'memory' | (() => Promise<Store>);

/** Opens the store that the options name. Only the modules of that one are loaded. */
export async function openStore(
	{ storage, folder }: { readonly storage: StoreChoice; readonly folder: DataFolder },
	onWarning: (message: string) => void,
): Promise<Store> {
	if (typeof storage === 'function') return storage();
	if (storage === 'memory') {
		const { MemoryStore } = await import('../../store/memory/memory-store.ts');
		return new MemoryStore();
	}
	const { openSqliteStore } = await import('../../store/sqlite/sqlite-store.ts');
	return openSqliteStore({ path: folder.database, onWarning });
}
