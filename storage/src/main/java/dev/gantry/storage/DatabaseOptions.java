package dev.gantry.storage;

import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;

/// How we run RocksDB: in little memory. The rows are few and small and what is read often lives in the heap, so
/// caches, background threads and statistics would buy nothing.
final class DatabaseOptions implements AutoCloseable {

    private static final long KIBIBYTE = 1024;

    private final Cache blocks = new LRUCache(1024 * KIBIBYTE, 0);
    private final DBOptions database = new DBOptions();
    private final ColumnFamilyOptions family = new ColumnFamilyOptions();

    DatabaseOptions() {
        database.setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setDbWriteBufferSize(2048 * KIBIBYTE)
                .setMaxTotalWalSize(8192 * KIBIBYTE)
                .setMaxOpenFiles(64)
                .setMaxBackgroundJobs(2)
                .setKeepLogFileNum(1)
                .setMaxLogFileSize(1024 * KIBIBYTE)
                .setInfoLogLevel(InfoLogLevel.ERROR_LEVEL)
                .setStatsDumpPeriodSec(0)
                .setStatsPersistPeriodSec(0)
                .setSkipStatsUpdateOnDbOpen(true)
                .setMaxManifestFileSize(4096 * KIBIBYTE);
        family.setWriteBufferSize(1024 * KIBIBYTE)
                .setArenaBlockSize(32 * KIBIBYTE)
                .setMaxWriteBufferNumber(2)
                .setCompressionType(CompressionType.NO_COMPRESSION)
                .setTableFormatConfig(
                        new BlockBasedTableConfig().setBlockCache(blocks).setCacheIndexAndFilterBlocks(true));
    }

    DBOptions database() {
        return database;
    }

    ColumnFamilyOptions family() {
        return family;
    }

    @Override
    public void close() {
        family.close();
        database.close();
        blocks.close();
    }
}
