import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/**
 * A Kafka Streams topology that sums Neraca's measures by leaf account, exactly once, from one JSON event a record.
 *
 * Arguments: bootstrap servers, topic, application id, state directory. The property "measures" names them, by commas. It prints "first" at its
 * first record, and "counted" after each line of standard input, which names a file it then writes every account to.
 */
public final class Measures {
    static final String STORE = "accounts";
    static final List<String> NAMES = List.of(System.getProperty("measures").split(","));
    static final String[] UNSUR = {
        "persyaratan", "prosedur", "waktu", "biaya", "produk", "kompetensi", "perilaku", "pengaduan", "sarana"};
    static final int[] CAPS = {10_000, 11_000, 12_000, Integer.MAX_VALUE};
    static final int PERMITS = at("permits"), WITH_STANDARD = at("permits_with_standard"), ON_TIME = at("permits_on_time");
    static final int REJECTED = at("permits_rejected"), ELAPSED_US = at("permits_elapsed_us"), CAPAIAN_N = at("capaian_n");
    static final int CAPAIAN_SUM = at("capaian_sum_100"), CAPAIAN_SQ = at("capaian_sq_100"), TASKS = at("tasks");
    static final int WITH_DUE = at("tasks_with_due"), TASKS_ON_TIME = at("tasks_on_time"), SELF = at("tasks_self_reported");
    static final int RESPONDENTS = at("respondents"), UNSUR_N = at("unsur_n_persyaratan"), RECEIVED = at("received");
    static final int UNSUR_SUM = at("unsur_sum_persyaratan"), MEAN_SUM = at("respondent_mean_sum");
    static final int MEAN_SQ = at("respondent_mean_sq"), OVERALL_N = at("overall_n"), OVERALL_SUM = at("overall_sum");
    static final int OVERALL_SQ = at("overall_sq");
    static final ObjectReader EVENT =
        new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readerFor(Event.class);
    static final AtomicBoolean BEGUN = new AtomicBoolean();

    public static final class Event { public String type; public Data data; }

    public static final class Data {
        public String dinas, asn = "", service = "", outcome = "issued", reported_by = "system";
        public Map<String, Integer> unsur;
        public int overall, scale = 4;
        public Resolved resolved;
    }

    public static final class Resolved {
        public String month;
        public long elapsed_us, promise_us;
        public Boolean on_time;
        public Event removes, adds;
    }

    static int at(String name) {
        return NAMES.indexOf(name);
    }

    /** One event moves the accounts of the facts it states; a reversal takes one out. As domain/fold/postings.py has it. */
    static final class Sums implements Processor<String, byte[], Void, Void> {
        private KeyValueStore<String, long[]> accounts;

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            accounts = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            if (!BEGUN.get() && BEGUN.compareAndSet(false, true)) System.out.println("first");
            try {
                post(EVENT.readValue(record.value()), 1);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }

        private void post(Event event, int sign) {
            Data data = event.data;
            if (data.resolved.removes != null) {
                post(data.resolved.removes, -sign);
                if (data.resolved.adds != null) post(data.resolved.adds, sign);
                return;
            }
            String account = data.dinas + "|" + data.asn + "|" + data.service + "|" + data.resolved.month;
            long[] held = accounts.get(account);
            long[] balance = held == null ? new long[NAMES.size()] : held;
            switch (event.type) {
                case "neraca.permit-processed.v1" -> decision(data, sign, balance);
                case "neraca.task-completed.v1" -> task(data, sign, balance);
                case "neraca.satisfaction-rated.v1" -> rating(data, sign, balance);
                case "neraca.permit-received.v1" -> balance[RECEIVED] += sign;
                default -> throw new IllegalArgumentException(event.type);
            }
            accounts.put(account, balance);
        }
    }

    static void decision(Data data, int sign, long[] balance) {
        Resolved resolved = data.resolved;
        balance[PERMITS] += sign;
        if (data.outcome.equals("rejected")) balance[REJECTED] += sign;
        balance[ELAPSED_US] += sign * resolved.elapsed_us;
        if (resolved.on_time == null) return;
        balance[WITH_STANDARD] += sign;
        if (resolved.on_time) balance[ON_TIME] += sign;
        if (resolved.promise_us <= 0) return;
        long saved = 2 * resolved.promise_us - resolved.elapsed_us;
        long capaian = saved > 0 ? halfUp(10_000 * saved, resolved.promise_us) : 0;
        balance[CAPAIAN_N] += sign;
        for (int cap = 0; cap < CAPS.length; cap++) {
            long capped = Math.min(capaian, CAPS[cap]);
            balance[CAPAIAN_SUM + cap] += sign * capped;
            balance[CAPAIAN_SQ + cap] += sign * capped * capped;
        }
    }

    static void task(Data data, int sign, long[] balance) {
        balance[TASKS] += sign;
        if (data.resolved.on_time != null) balance[WITH_DUE] += sign;
        if (Boolean.TRUE.equals(data.resolved.on_time)) balance[TASKS_ON_TIME] += sign;
        if (data.reported_by.equals("self")) balance[SELF] += sign;
    }

    static void rating(Data data, int sign, long[] balance) {
        if (data.unsur == null) {
            long value = halfUp(10_000L * data.overall, data.scale);
            balance[OVERALL_N] += sign;
            balance[OVERALL_SUM] += sign * value;
            balance[OVERALL_SQ] += sign * value * value;
            return;
        }
        long sum = 0;
        for (int unsur = 0; unsur < UNSUR.length; unsur++) {
            Integer answer = data.unsur.get(UNSUR[unsur]);
            if (answer == null) continue;
            balance[UNSUR_N + unsur] += sign;
            balance[UNSUR_SUM + unsur] += sign * answer;
            sum += answer;
        }
        long mean = halfUp(10_000 * sum, 4L * data.unsur.size());
        balance[RESPONDENTS] += sign;
        balance[MEAN_SUM] += sign * mean;
        balance[MEAN_SQ] += sign * mean * mean;
    }

    static long halfUp(long numerator, long denominator) {
        return (2 * numerator + denominator) / (2 * denominator);
    }

    static Serde<long[]> balances() {
        Serializer<long[]> write = (topic, balance) -> {
            if (balance == null) return null;
            ByteBuffer bytes = ByteBuffer.allocate(8 * balance.length);
            bytes.asLongBuffer().put(balance);
            return bytes.array();
        };
        Deserializer<long[]> read = (topic, bytes) -> {
            if (bytes == null) return null;
            long[] balance = new long[bytes.length / 8];
            ByteBuffer.wrap(bytes).asLongBuffer().get(balance);
            return balance;
        };
        return Serdes.serdeFrom(write, read);
    }

    static KafkaStreams streams(String servers, String topic, String application, String directory) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, directory);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.getInteger("threads", 2));
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        var store = Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(STORE), Serdes.String(), balances());
        builder.addStateStore(store.withCachingEnabled());
        builder.stream(topic, Consumed.with(Serdes.String(), Serdes.ByteArray())).process(Sums::new, STORE);
        return new KafkaStreams(builder.build(), settings);
    }

    static void write(KafkaStreams streams, Path path) throws IOException {
        var query = StoreQueryParameters.fromNameAndType(STORE, QueryableStoreTypes.<String, long[]>keyValueStore());
        try (BufferedWriter file = Files.newBufferedWriter(path);
             KeyValueIterator<String, long[]> accounts = streams.store(query).all()) {
            while (accounts.hasNext()) {
                var account = accounts.next();
                file.write(account.key + "\t" + Arrays.toString(account.value) + "\n");
            }
        }
    }

    public static void main(String[] words) throws IOException {
        KafkaStreams streams = streams(words[0], words[1], words[2], words[3]);
        streams.start();
        byte[] line;
        var input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        for (String path = input.readLine(); path != null; path = input.readLine()) {
            write(streams, Path.of(path));
            System.out.println("counted");
        }
        streams.close();
    }
}
