//! The journal's stories, each told to SQLite and to PostgreSQL.
//!
//! Those of PostgreSQL want `BEISTAND_TEST_POSTGRES`, the URL of a server on which databases may be
//! made: `cargo test -p beistand-journal -- --include-ignored`.

#[cfg(test)]
mod stories;

#[cfg(test)]
macro_rules! told {
    ($($story:path as $name:ident),* $(,)?) => {
        mod sqlite {
            use super::stories;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $story(stories::Place::sqlite()).await;
            })*
        }
        mod postgres {
            use super::stories;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs BEISTAND_TEST_POSTGRES"]
            async fn $name() {
                $story(stories::Place::postgres().await).await;
            })*
        }
    };
}

#[cfg(test)]
told! {
    stories::access::accounts_and_grants_are_read_as_they_were_given as accounts_and_grants_are_read_as_they_were_given,
    stories::access::what_counts_once_is_used_up_once as what_counts_once_is_used_up_once,
    stories::access::what_counts_once_is_used_up_with_what_it_was_for_or_not_at_all as what_counts_once_is_used_up_with_what_it_was_for_or_not_at_all,
    stories::access::a_session_ends_and_what_was_seen_is_forgotten_in_time as a_session_ends_and_what_was_seen_is_forgotten_in_time,
    stories::access::what_is_counted_changes_nothing_that_is_known_of_accounts as what_is_counted_changes_nothing_that_is_known_of_accounts,
    stories::append::an_entry_is_there_after_the_store_was_closed as an_entry_is_there_after_the_store_was_closed,
    stories::append::a_lease_that_was_overtaken_writes_nothing as a_lease_that_was_overtaken_writes_nothing,
    stories::append::many_appenders_share_commits_and_lose_nothing as many_appenders_share_commits_and_lose_nothing,
    stories::append::a_refused_append_does_not_spoil_its_batch as a_refused_append_does_not_spoil_its_batch,
    stories::append::an_append_that_can_not_be_written_does_not_spoil_its_batch as an_append_that_can_not_be_written_does_not_spoil_its_batch,
    stories::append::notes_of_many_people_follow_each_other as notes_of_many_people_follow_each_other,
    stories::append::nothing_starts_while_the_stop_switch_is_on as nothing_starts_while_the_stop_switch_is_on,
    stories::claim::what_is_due_is_claimed_once as what_is_due_is_claimed_once,
    stories::claim::no_wake_up_is_lost_between_owner_and_rest as no_wake_up_is_lost_between_owner_and_rest,
    stories::claim::what_a_dead_owner_held_is_claimable_at_once as what_a_dead_owner_held_is_claimable_at_once,
    stories::claim::a_hundred_thousand_that_wait_cost_nothing as a_hundred_thousand_that_wait_cost_nothing,
    stories::claim::a_second_owner_is_refused_and_a_reader_is_not as a_second_owner_is_refused_and_a_reader_is_not,
    stories::claim::a_store_has_one_owner_whatever_link_leads_to_it as a_store_has_one_owner_whatever_link_leads_to_it,
    stories::claim::a_store_of_two_names_is_refused_until_it_has_one as a_store_of_two_names_is_refused_until_it_has_one,
    stories::guard::one_start_key_gives_one_run as one_start_key_gives_one_run,
    stories::guard::a_need_is_answered_once as a_need_is_answered_once,
    stories::guard::holds_follow_each_other as holds_follow_each_other,
    stories::guard::limits_count_distinct_targets as limits_count_distinct_targets,
    stories::guard::a_cut_in_parts_is_counted_as_one as a_cut_in_parts_is_counted_as_one,
    stories::guard::what_was_written_meanwhile_is_noticed as what_was_written_meanwhile_is_noticed,
    stories::guard::what_is_done_once_is_done_once as what_is_done_once_is_done_once,
    stories::table::every_change_is_read_back as every_change_is_read_back,
    stories::table::a_command_is_answered_with_its_entry as a_command_is_answered_with_its_entry,
    stories::seen::lists_hold_what_may_be_seen as lists_hold_what_may_be_seen,
    stories::seen::open_needs_are_read_page_by_page_to_the_last as open_needs_are_read_page_by_page_to_the_last,
    stories::seen::how_far_runs_have_come_is_asked_without_their_entries as how_far_runs_have_come_is_asked_without_their_entries,
    stories::seen::nothing_is_committed_before_where_a_reader_of_the_feed_is as nothing_is_committed_before_where_a_reader_of_the_feed_is,
    stories::proof::seals_anchor_what_was_written as seals_anchor_what_was_written,
    stories::proof::every_kind_of_tampering_is_found as every_kind_of_tampering_is_found,
    stories::proof::an_export_verifies_without_bodies as an_export_verifies_without_bodies,
    stories::proof::a_store_of_the_first_schema_is_brought_up_to_date as a_store_of_the_first_schema_is_brought_up_to_date,
    stories::copy::a_backup_is_restored_with_a_new_epoch as a_backup_is_restored_with_a_new_epoch,
    stories::copy::a_backup_brings_no_code_and_no_token_back_to_life as a_backup_brings_no_code_and_no_token_back_to_life,
}

#[cfg(test)]
mod both {
    use super::stories;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs BEISTAND_TEST_POSTGRES"]
    async fn the_same_commands_give_the_same_state_on_both_stores() {
        stories::same::the_same_commands_give_the_same_state_on_both_stores().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs BEISTAND_TEST_POSTGRES"]
    async fn a_server_that_could_lose_commits_is_refused() {
        stories::server::a_server_that_could_lose_commits_is_refused().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs BEISTAND_TEST_POSTGRES"]
    async fn a_commit_whose_answer_was_lost_is_settled() {
        stories::server::a_commit_whose_answer_was_lost_is_settled().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "mounts a file system"]
    async fn a_full_disk_is_refused_in_words_and_survived() {
        stories::disk::a_full_disk_is_refused_in_words_and_survived().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_older_database_put_in_place_by_hand_is_refused() {
        stories::proof::an_older_database_put_in_place_by_hand_is_refused().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn files_of_something_else_and_of_newer_programs_are_refused() {
        stories::proof::files_of_something_else_and_of_newer_programs_are_refused().await;
    }
}
