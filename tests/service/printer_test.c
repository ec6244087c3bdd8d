/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The printer driver over real HTTP against the simulator, with each of its faults. */
#include "service/printer.h"

#include <time.h>

#include "base/clock.h"
#include "tests/service/sim.h"
#include "tests/test.h"

static struct sim_process sim;
static struct printer_link link_;
static struct err err;
static const struct printer_driver *driver;

/* 60 s of print after about 60 s of heating: 1.2 s at a hundredfold. */
static const char gcode_text[] = ";FLAVOR:Marlin\n;TIME:60\nM190 S60\nM109 S200\nG1 X1 E1\n";
static const struct bytes gcode = {.data = (uint8_t *)(uintptr_t)gcode_text,
                                   .len = sizeof gcode_text - 1};

static int begin(const char *speed)
{
    driver = printer_driver_find("virtual");
    memset(&err, 0, sizeof err);
    if (sim_start(&sim, speed, NULL, 0))
        return -1;
    link_ = (struct printer_link){.url = sim.url, .api_key = "secret"};
    return 0;
}

static void end(void)
{
    sim_stop(&sim, SIGTERM);
}

/* Asks until the printer is in that state, 8 s at most. */
static bool wait_for(enum printer_state state, struct printer_report *report)
{
    for (int64_t until = clock_ms() + 8000; clock_ms() < until;) {
        if (!driver->status(report, &link_, &err) && report->state == state)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    return false;
}

/* Ends the simulator however the test ends. */
#define WITH_SIM(speed, body)                                                                      \
    do {                                                                                           \
        if (begin(speed))                                                                          \
            TEST_GIVE_UP("the simulator did not start");                                           \
        body();                                                                                    \
        end();                                                                                     \
    } while (0)

static void prints(void)
{
    struct printer_report report;
    struct printer_file file;
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_IDLE && report.answered && report.file[0] == 0);
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_IDLE); /* an upload starts nothing */
    CHECK(sim_starts(&sim) == 0);
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    CHECK(wait_for(PRINTER_PREPARING, &report));
    CHECK_TEXT(report.file, "a.gcode");
    CHECK(report.nozzle_c < 200);
    CHECK(wait_for(PRINTER_PRINTING, &report));
    CHECK(wait_for(PRINTER_DONE, &report));
    CHECK_NEAR(report.progress, 1, 1e-9);
    CHECK_OK(driver->file(&file, &link_, "a.gcode", &err));
    CHECK(file.there && file.success == 1 && file.failure == 0 && file.last_success);
    CHECK(sim_starts(&sim) == 1);
}

static void test_printer__prints_a_file_and_reports_each_state(void)
{
    WITH_SIM("100", prints);
}

static void pauses(void)
{
    struct printer_report report;
    struct printer_file file;
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK_FAILS(driver->pause(&link_, &err), ERR_CONFLICT);
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    do /* a pause while it heats waits for the heat, and a resume meanwhile is not heard */
        CHECK(wait_for(PRINTER_PRINTING, &report));
    while (report.progress < 0.01);
    CHECK_OK(driver->pause(&link_, &err));
    CHECK(wait_for(PRINTER_PAUSED, &report));
    CHECK_OK(driver->resume(&link_, &err));
    CHECK(wait_for(PRINTER_PRINTING, &report));
    CHECK_OK(driver->cancel(&link_, &err));
    CHECK(wait_for(PRINTER_CANCELLED, &report));
    CHECK_OK(driver->file(&file, &link_, "a.gcode", &err));
    CHECK(file.failure == 1 && !file.last_success);
}

static void test_printer__pauses_goes_on_and_cancels(void)
{
    WITH_SIM("40", pauses);
}

static void refuses(void)
{
    struct printer_file file;
    struct printer_link stranger = {.url = sim.url, .api_key = "wrong"};
    struct printer_report report;
    CHECK_FAILS(driver->status(&report, &stranger, &err), ERR_DENIED);
    CHECK_TEXT(err.code, "printer_key");
    CHECK_FAILS(driver->upload(&link_, "a.txt", &gcode, &err), ERR_INPUT);
    CHECK_FAILS(driver->start(&link_, "none.gcode", &err), ERR_ABSENT);
    CHECK_OK(driver->file(&file, &link_, "none.gcode", &err));
    CHECK(!file.there);
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK(!sim_fault(&sim, "refuse_start"));
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_CONFLICT);
    CHECK_TEXT(err.code, "printer_refused");
    CHECK(!sim_fault(&sim, "refuse_upload"));
    CHECK_FAILS(driver->upload(&link_, "b.gcode", &gcode, &err), ERR_LATER);
    CHECK(!sim_fault(&sim, "none"));
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_CONFLICT);
    CHECK_FAILS(driver->drop(&link_, "a.gcode", &err), ERR_CONFLICT); /* in use */
    CHECK_FAILS(driver->upload(&link_, "a.gcode", &gcode, &err), ERR_CONFLICT);
    CHECK(sim_starts(&sim) == 1);
}

static void test_printer__tells_refusals_from_doubts(void)
{
    WITH_SIM("1", refuses);
}

static void loses_answers(void)
{
    struct printer_report report;
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK(!sim_fault(&sim, "swallow_start"));
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_LATER);
    CHECK_TEXT(err.code, "printer_in_doubt");
    CHECK(sim_starts(&sim) == 0);
    CHECK(!sim_fault(&sim, "lose_start_answer"));
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_LATER);
    CHECK_TEXT(err.code, "printer_in_doubt");
    CHECK(wait_for(PRINTER_PREPARING, &report)); /* it had begun all the same */
    CHECK_TEXT(report.file, "a.gcode");
    CHECK(sim_starts(&sim) == 1);
}

static void test_printer__a_lost_start_answer_is_in_doubt(void)
{
    WITH_SIM("1", loses_answers);
}

static void drops(void)
{
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK(!sim_fault(&sim, "late_start"));
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_LATER);
    CHECK_OK(driver->drop(&link_, "a.gcode", &err));
    CHECK_OK(driver->drop(&link_, "a.gcode", &err)); /* gone already is fine */
    nanosleep(&(struct timespec){.tv_nsec = 900 * 1000 * 1000}, NULL);
    CHECK(sim_starts(&sim) == 0); /* it arrived after 600 ms and found nothing to print */
}

static void test_printer__a_late_start_of_a_removed_file_does_nothing(void)
{
    WITH_SIM("1", drops);
}

static void goes_offline(void)
{
    struct printer_report report;
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK(!sim_fault(&sim, "silent"));
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_OFFLINE && !report.answered);
    CHECK(!sim_fault(&sim, "none"));
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    CHECK(!sim_fault(&sim, "offline")); /* the serial line breaks in mid print: noted as failed */
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_FAILED && report.answered && report.message[0]);
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_CONFLICT);
    CHECK_OK(driver->connect(&link_, &err));
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_FAILED); /* still unplugged */
    CHECK(!sim_fault(&sim, "none"));
    CHECK_OK(driver->connect(&link_, &err));
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(printer_is_idle(report.state));
    sim_stop(&sim, SIGKILL);
    CHECK_OK(driver->status(&report, &link_, &err));
    CHECK(report.state == PRINTER_OFFLINE && !report.answered);
    CHECK_FAILS(driver->start(&link_, "a.gcode", &err), ERR_LATER);
    CHECK_TEXT(err.code, "printer_away"); /* nothing left this machine */
}

static void test_printer__tells_silence_from_a_line_that_is_down(void)
{
    WITH_SIM("1", goes_offline);
}

static void breaks(void)
{
    struct printer_report report;
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK(!sim_fault(&sim, "filament_out"));
    CHECK(!sim_fault(&sim, "fail_print"));
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    CHECK(wait_for(PRINTER_PAUSED, &report));
    CHECK_OK(driver->resume(&link_, &err));
    CHECK(wait_for(PRINTER_FAILED, &report));
    CHECK(strstr(report.message, "Thermal runaway"));
}

static void test_printer__reports_a_print_that_fails(void)
{
    WITH_SIM("100", breaks);
}

static void remembers(void)
{
    struct printer_file file;
    struct printer_report report;
    char state[] = "/tmp/printer_sim_state_XXXXXX";
    int fd = mkstemp(state);
    CHECK(fd >= 0);
    close(fd);
    CHECK(sim_start(&sim, "200", state, 0) == 0);
    link_ = (struct printer_link){.url = sim.url, .api_key = "secret"};
    CHECK_OK(driver->upload(&link_, "a.gcode", &gcode, &err));
    CHECK_OK(driver->start(&link_, "a.gcode", &err));
    CHECK(wait_for(PRINTER_DONE, &report));
    sim_stop(&sim, SIGKILL);
    CHECK(sim_start(&sim, "200", state, 0) == 0);
    link_.url = sim.url;
    CHECK_OK(driver->file(&file, &link_, "a.gcode", &err));
    CHECK(file.success == 1 && sim_starts(&sim) == 1);
    unlink(state);
}

static void test_printer__the_simulator_keeps_its_counts_over_a_kill(void)
{
    driver = printer_driver_find("virtual");
    remembers();
    sim_stop(&sim, SIGKILL);
}

static void test_printer__drivers_are_found_by_name(void)
{
    CHECK(printer_driver_find("octoprint") == &printer_octoprint);
    CHECK(printer_driver_find("none") == NULL);
    for (size_t i = 0; printer_driver_at(i); i++)
        CHECK(printer_driver_find(printer_driver_at(i)->id) == printer_driver_at(i));
    CHECK_TEXT(printer_state_name(PRINTER_ATTENTION), "attention");
}

TESTS(TEST(test_printer__drivers_are_found_by_name),
      TEST(test_printer__prints_a_file_and_reports_each_state),
      TEST(test_printer__pauses_goes_on_and_cancels),
      TEST(test_printer__tells_refusals_from_doubts),
      TEST(test_printer__a_lost_start_answer_is_in_doubt),
      TEST(test_printer__a_late_start_of_a_removed_file_does_nothing),
      TEST(test_printer__tells_silence_from_a_line_that_is_down),
      TEST(test_printer__reports_a_print_that_fails),
      TEST(test_printer__the_simulator_keeps_its_counts_over_a_kill))
